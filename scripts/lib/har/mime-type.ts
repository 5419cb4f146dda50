/**
 * The metadata of a flow that keep the `mimeType` of HAR. It is used only for messages without Content-Type: adding that
 * header would claim that it was sent.
 */
export const MIME_TYPES = { request: 'har.request.mimeType', response: 'har.response.mimeType' };

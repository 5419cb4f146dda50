/** Reads the Content-Type header, https://www.rfc-editor.org/rfc/rfc9110#section-8.3. */
const CHARSET = /[;\s]charset=["']?([^"';\s]+)/i;
const BOUNDARY = /;\s{0,8}boundary=(?:"([^"]+)"|([^;\s]+))/i;

/** The media type in lower case and without parameters; empty if there is none. */
export function parseMediaType(contentType: string): string {
  return contentType.split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The charset in lower case. */
export function parseCharset(contentType: string): string | undefined {
  return CHARSET.exec(contentType)?.[1]?.toLowerCase();
}

/** Whether a charset is UTF-8 or its subset ASCII. */
export function isUtf8Charset(charset: string): boolean {
  return ['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset);
}

/** The content type with another charset; unchanged if it has none. */
export function replaceCharset(contentType: string, charset: string): string {
  return contentType.replace(/([;\s]charset=)("[^"]*"|[^;\s]*)/i, (_, name) => `${name}${charset}`);
}

/** The delimiter of the parts of a multipart body, without its leading dashes. */
export function parseBoundary(contentType: string): string | undefined {
  const [, quoted, token] = BOUNDARY.exec(contentType) ?? [];
  return quoted ?? token;
}

/** Schemes of credentials that also start a secret in prose: `token: Bearer …`. */
const COMMON = [
  ...['Bearer', 'Basic', 'Digest', 'Token', 'Negotiate', 'NTLM', 'AWS4-HMAC-SHA256', 'ApiKey', 'JWT'],
  ...['OAuth', 'DPoP'],
];
/** The other registered schemes, https://www.iana.org/assignments/http-authschemes, and further ones in use. */
const OTHER = [
  ...['HOBA', 'Mutual', 'SCRAM-SHA-\\d+', 'AWS', 'Hawk', 'Api-Key', 'Key', 'Splunk', 'GNAP', 'PrivateToken'],
  ...['Signature', 'SharedKey(?:Lite)?', 'GoogleLogin', 'GenieKey', 'SSWS', 'vapid', 'Concealed', 'Client'],
  ...['Session', 'SAML'],
];

/** A scheme at the start of a secret value, with the space after it. */
export const SCHEME = new RegExp(`^\\s{0,8}(?:${[...COMMON, ...OTHER].join('|')})\\s{1,8}(?=\\S)`, 'i');

/** A scheme within a line of text, with the space after it. Sticky. */
export const COMMON_SCHEME = new RegExp(`(?:${COMMON.join('|')})[ \\t]{1,8}`, 'iy');

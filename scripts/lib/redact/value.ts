import { type Spelling, unescapeWithPlaces } from './escapes.ts';
import type { Strength } from './names.ts';
import { isOpaque } from './shapes.ts';
import type { Span } from './span.ts';

/** What stands where a secret would be and is none; masks of others among it. */
const NOTHING = /^(?:true|false|null|undefined|none|nil|yes|no|on|off|[*\u2022.\s-]*)$/i;

/** The schemes of credentials, https://www.iana.org/assignments/http-authschemes, and those that are in use beside. */
const SCHEME =
  /^\s{0,8}(?:Basic|Bearer|Digest|Token|Negotiate|NTLM|HOBA|Mutual|SCRAM-SHA-\d+|AWS4-HMAC-SHA256|AWS|Hawk|ApiKey|Api-Key|Key|JWT|Splunk|OAuth|DPoP|GNAP|PrivateToken|Signature|SharedKey(?:Lite)?|GoogleLogin|GenieKey|SSWS|vapid|Concealed|Client|Session|SAML)\s{1,8}(?=\S)/i;

/** Whether the value of a secret's name is a secret. */
export function isSecretValue(text: string, strength: Strength): boolean {
  if (text.length < 64 && NOTHING.test(text)) return false;
  return strength === 'strong' || isOpaque(text);
}

/** A value's span, less the scheme in front of it. */
export function toValueSpan(text: string, raw: string, start: number, spelling?: Spelling): Span {
  const end = start + raw.length;
  const [scheme] = SCHEME.exec(text) ?? [''];
  if (scheme === '') return { start, end, secret: text, named: true };
  const at = (spelling && unescapeWithPlaces(raw, spelling)?.at(scheme.length)) ?? scheme.length;
  return { start: start + at, end, secret: text.slice(scheme.length), named: true };
}

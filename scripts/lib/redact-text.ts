import { isSecretName, type Mask, replaceShapes } from './secret.ts';

/** How texts are redacted; texts are bytes as Latin-1, so that a mask is as long in bytes as what it masks. */
export interface Redaction {
  mask: Mask;
  /** Further names, as plainName has them. */
  names: ReadonlySet<string>;
  /** Further patterns; each has the flag g. */
  patterns: RegExp[];
  /** What was found by its name in this flow, decoded: it is masked wherever else it is. */
  found: Set<string>;
}

/** Shorter ones are found everywhere by chance. */
const LEAST_FOUND = 8;

/** A text without the credentials in it: by name in JSON, XML, forms and queries, and by shape. */
export function redactText(text: string, redaction: Redaction): string {
  if (text.length < 4) return text;
  let out = redactLines(text, redaction);
  if (out.includes('"')) out = redactXml(redactJson(out, redaction), redaction);
  else if (out.includes('<')) out = redactXml(out, redaction);
  if (out.includes('=')) out = redactPairs(out, redaction);
  if (out.includes('name=')) out = redactMultipart(out, redaction);
  out = replaceShapes(out, (secret) => maskOf(secret, secret, redaction));
  for (const pattern of redaction.patterns)
    out = out.replace(pattern, (secret: string) => (secret ? maskOf(secret, secret, redaction) : ''));
  return out;
}

/** The mask of a secret that is spelt `raw` here. */
export function maskOf(raw: string, secret: string, { mask, found }: Redaction): string {
  if (secret.length >= LEAST_FOUND) found.add(secret);
  return mask.of(secret, raw.length);
}

/** What was found by name, wherever else it is: as it is, percent-encoded, and escaped as in JSON. */
export function redactFound(text: string, redaction: Redaction): string {
  let out = text;
  for (const secret of redaction.found) {
    const plain = utf8(secret);
    const spellings = [plain, encodeURIComponent(plain), JSON.stringify(plain).slice(1, -1)];
    for (const raw of new Set([
      secret,
      ...spellings.map((spelling) => Buffer.from(spelling).toString('latin1')),
    ]))
      if (out.includes(raw)) out = out.replaceAll(raw, () => redaction.mask.of(secret, raw.length));
  }
  return out;
}

const LINE = /((?:^|\n)[ \t-]{0,40}([A-Za-z][\w.-]{1,100}):[ \t]{1,20})([^\r\n]{1,8192})/g;

/** `name: value`, as in headers that are data, and in YAML. */
function redactLines(text: string, redaction: Redaction): string {
  if (!text.includes(': ')) return text;
  return text.replace(LINE, (all: string, before: string, name: string, value: string) =>
    isSecretName(name, redaction.names) ? before + maskOf(value, value, redaction) : all,
  );
}

/** Latin-1 that holds UTF-8, as text. A lone surrogate cannot come out of it. */
function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

const STRING = /"(?:[^"\\]|\\.)*"/sy;
const SCALAR = /-?\d[\d.eE+-]*/y;
/** What is between them. */
const REST = /[^"{}[\],\n]+/y;
const REST_OF_SECRET = /[^"{}[\],\n\d-]+/y;

/** JSON, and what is nearly: several values, one that is cut off. What is below a secret name is masked whole. */
function redactJson(text: string, redaction: Redaction): string {
  const out: string[] = [];
  /** Of each object or list around: whether it is below a secret name. */
  const around: boolean[] = [];
  let isSecret = false;
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    STRING.lastIndex = SCALAR.lastIndex = at;
    const [token] = (char === '"' ? STRING.exec(text) : undefined) ?? [];
    if (token) {
      at += token.length;
      const inner = token.slice(1, -1);
      const isKey = /^\s{0,20}:/.test(text.slice(at, at + 21));
      if (isKey) isSecret = (around.at(-1) ?? false) || isSecretName(unescapeJson(inner), redaction.names);
      out.push(
        '"',
        isKey
          ? inner
          : isSecret
            ? maskOf(inner, unescapeJson(inner), redaction)
            : redactInner(inner, redaction),
        '"',
      );
      continue;
    }
    if (char === '"') {
      // Cut off: it is masked if its beginning would be.
      const rest = text.slice(at + 1);
      out.push('"', isSecret ? maskOf(rest, rest, redaction) : rest);
      break;
    }
    const [number] = isSecret ? (SCALAR.exec(text) ?? []) : [];
    if (number) {
      out.push(redaction.mask.of(number));
      at += number.length;
      continue;
    }
    const rest = isSecret ? REST_OF_SECRET : REST;
    rest.lastIndex = at;
    const [between] = rest.exec(text) ?? [];
    if (between) {
      out.push(between);
      at += between.length;
      continue;
    }
    if (char === '{' || char === '[') around.push(isSecret);
    else if (char === '}' || char === ']') around.pop();
    if (char === ',' || char === '}' || char === ']') isSecret = around.at(-1) ?? false;
    if (char === '\n' && around.length === 0) isSecret = false;
    out.push(char);
    at++;
  }
  return out.join('');
}

/** JSON within a JSON string has its quotes escaped. */
const INNER = /(\\"([^"\\]{1,200})\\"\s{0,20}:\s{0,20}\\")((?:[^"\\]|\\[^"])*)(?=\\")/g;

function redactInner(inner: string, redaction: Redaction): string {
  if (!inner.includes('\\"')) return inner;
  return inner.replace(INNER, (all: string, before: string, name: string, value: string) =>
    isSecretName(name, redaction.names) ? before + maskOf(value, unescapeJson(value), redaction) : all,
  );
}

function unescapeJson(inner: string): string {
  if (!inner.includes('\\')) return inner;
  try {
    return Buffer.from(JSON.parse(`"${inner}"`) as string).toString('latin1');
  } catch {
    return inner;
  }
}

const ELEMENT = /(<([\w:.-]{1,100})(?:\s[^<>]{0,500})?>)([^<]{1,8192})(?=<\/)/g;
const ATTRIBUTE = /(\s([\w:.-]{1,100})=(["']))([^"'<>]{1,4096})(?=["'])/g;

function redactXml(text: string, redaction: Redaction): string {
  if (!text.includes('<')) return text;
  const mask = (all: string, before: string, name: string, value: string) =>
    isSecretName(name.replace(/^.*:/, ''), redaction.names) ? before + maskOf(value, value, redaction) : all;
  return text
    .replace(ELEMENT, mask)
    .replace(ATTRIBUTE, (all: string, before: string, name: string, _: string, value: string) =>
      mask(all, before, name, value),
    );
}

const PAIR = /((?:^|[?&;\s#,"'])([^=&?;\s#,"'<>{}]{1,100})=)([^&;\s#"'<>]{1,8192})/g;

/** `name=value`, as in queries, forms, cookies and connection strings. */
export function redactPairs(text: string, redaction: Redaction): string {
  return text.replace(PAIR, (all: string, before: string, name: string, value: string) =>
    isSecretName(percentDecoded(name), redaction.names)
      ? before + maskOf(value, percentDecoded(value), redaction)
      : all,
  );
}

export function percentDecoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const PART =
  /(\bname="?([^"\r\n;]{1,200})"?[^\r\n]{0,500}(?:\r?\n[^\r\n]{1,500}){0,10}\r?\n\r?\n)((?:(?!\r?\n--)[\s\S]){1,65536})/g;

/** The parts of a form with files, https://www.rfc-editor.org/rfc/rfc7578. */
function redactMultipart(text: string, redaction: Redaction): string {
  if (!/^--|\r?\n--/.test(text)) return text;
  return text.replace(PART, (all: string, before: string, name: string, value: string) =>
    isSecretName(name, redaction.names) ? before + maskOf(value, value, redaction) : all,
  );
}

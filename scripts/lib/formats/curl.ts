import { isUtf8 } from 'node:buffer';
import type { Flow, Request } from '../flow/flow.ts';
import { formatOrigin, readHeaderBytes, readRequestBytes } from '../flow/origin.ts';
import { formatBytes } from '../util/units.ts';

/** A longer body is not given as an argument: Linux takes 128 KiB in one. */
const MAX_ARGUMENT = 64 * 1024;
/** The longest body that is written at all. */
const MAX_BYTES = 64 * 1024 * 1024;
/** From so many bytes on curl asks the server first whether it wants the body, unless it is told not to. */
const EXPECT_BYTES = 1024;
/** A method, or the name of a header, https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** Of a path that curl sends as it is. */
const PLAIN_PATH = /^\/[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~[\]{}|]*$/;
/** What a terminal may act on: controls, invisible characters, those that turn the direction of text. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
/** What printf's format, the quotes around it, and the history of shells have a meaning for. */
const SPECIAL = /[\\%'!\p{C}\p{Zl}\p{Zp}]/gu;
const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '%': '%%', '\\': '\\\\' };

/**
 * A command line that sends a flow's request again, for a POSIX shell. Whatever is in the flow, it is one line without
 * control characters that runs curl, at most with printf, and curl reads no file for it. Lengths and chunks are curl's
 * to say; headers that HTTP cannot carry, trailers, and a body that was not recorded are left out.
 * @returns an empty text for a flow that is not http; a comment for one with a body of more than 64 MiB.
 */
export function formatCurl(flow: Flow): string {
  const { request } = flow;
  if (!request) return '';
  const { length = 0 } = request.content ?? {};
  if (length > MAX_BYTES)
    return `# a request with a body of ${formatBytes(length)} is too long for a command`;
  const data = findData(request);
  const args = [
    ...urlArguments(flow, request),
    ...methodArguments(flow, data !== undefined),
    ...versionArguments(request),
    ...headerArguments(flow, request, data),
  ];
  if (!data) return ['curl', ...args].join(' ');
  if (data.length <= MAX_ARGUMENT && isPrintable(data))
    return ['curl', ...args, '--data-raw', quoteWord(data)].join(' ');
  return `printf '${formatPrintf(data)}' | ${['curl', ...args, '--data-binary', '@-'].join(' ')}`;
}

/** The body, if one was sent; an empty one when its length was said to be 0. */
function findData({ content, headers, method }: Request): Buffer | undefined {
  if (content && content.length > 0) return content;
  const isSaid = headers.some(([name, value]) => name.toLowerCase() === 'content-length' && value === '0');
  return isSaid && method !== 'HEAD' ? Buffer.alloc(0) : undefined;
}

/** curl makes of a URL what it thinks is meant, unless it is told the request's target as it is. */
function urlArguments(flow: Flow, request: Request): string[] {
  const origin = formatOrigin(request);
  const path = readRequestBytes(flow, request.path === '' ? 'authority' : 'path').toString('latin1') || '/';
  if (!PLAIN_PATH.test(path)) {
    const target = path.replace(/[\0-\x20\x7f]/g, (char) => encodeURIComponent(char));
    return [
      quoteWord(Buffer.from(`${origin}/`)),
      '--request-target',
      quoteWord(Buffer.from(target, 'latin1')),
    ];
  }
  const url = `${origin}${path}`;
  return [
    quoteWord(Buffer.from(url)),
    ...(/[[\]{}]/.test(url) ? ['--globoff'] : []),
    ...(/\/(\.|%2e){1,2}([/?]|$)/i.test(path) ? ['--path-as-is'] : []),
  ];
}

function methodArguments(flow: Flow, hasData: boolean): string[] {
  const method = [...readRequestBytes(flow, 'method').toString('latin1')]
    .filter((char) => TOKEN.test(char))
    .join('');
  // With -X HEAD curl would wait for a body.
  if (method === 'HEAD' && !hasData) return ['--head'];
  if (method === '' || method === (hasData ? 'POST' : 'GET')) return [];
  return ['-X', quoteWord(Buffer.from(method))];
}

/** Where TLS does not negotiate it, curl is told the version. */
function versionArguments({ httpVersion, scheme }: Request): string[] {
  if (httpVersion === 'HTTP/1.0') return ['--http1.0'];
  return httpVersion.startsWith('HTTP/2') && scheme !== 'https' ? ['--http2-prior-knowledge'] : [];
}

function headerArguments(flow: Flow, request: Request, data: Buffer | undefined): string[] {
  const host = formatOrigin(request).replace(/^http:\/\/(.*?)(:80)?$|^https:\/\/(.*?)(:443)?$/, '$1$3');
  const args: string[] = [];
  const said = new Set<string>();
  for (const [name, value] of readHeaderBytes(flow)) {
    const key = name.toString('latin1').toLowerCase();
    const text = value.toString('latin1');
    if (!TOKEN.test(key) || /[\0\r\n]/.test(text)) continue;
    if (['content-length', 'transfer-encoding'].includes(key) || (key === 'host' && said.has(key))) continue;
    said.add(key);
    if (key === 'host' && text === host) continue;
    // A name with nothing after its colon would take the header away.
    const isEmpty = text.trim() === '';
    args.push(
      '-H',
      quoteWord(Buffer.concat([name, Buffer.from(isEmpty ? ';' : ': '), isEmpty ? EMPTY : value])),
    );
  }
  const own = ['User-Agent', 'Accept', ...(data ? ['Content-Type'] : [])];
  if (data && data.length >= EXPECT_BYTES) own.push('Expect');
  for (const name of own) if (!said.has(name.toLowerCase())) args.push('-H', `'${name}:'`);
  return said.has('accept-encoding') ? [...args, '--compressed'] : args;
}

const EMPTY = Buffer.alloc(0);

/** Bytes as one word of a POSIX shell. They have neither NUL nor line feed at their end, which no such word can have. */
function quoteWord(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (/^[\w./:@-]+$/.test(text)) return text;
  if (isPrintable(bytes)) return `'${bytes.toString('utf8').replaceAll("'", "'\\''")}'`;
  return `"$(printf '${formatPrintf(bytes)}')"`;
}

function isPrintable(bytes: Buffer): boolean {
  return isUtf8(bytes) && !UNPRINTABLE.test(bytes.toString('utf8'));
}

/** Bytes as a format of printf in single quotes, in printable characters alone. */
function formatPrintf(bytes: Buffer): string {
  const format = isUtf8(bytes)
    ? bytes.toString('utf8').replace(SPECIAL, (char) => ESCAPES[char] ?? formatOctal(Buffer.from(char)))
    : bytes
        .toString('latin1')
        .replace(/[^ -~]|[\\%'!]/g, (char) => ESCAPES[char] ?? formatOctal(Buffer.from(char, 'latin1')));
  // A leading one would be an option of printf's.
  return format.replace(/^-/, '\\055');
}

function formatOctal(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

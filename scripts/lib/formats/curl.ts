import { isUtf8 } from 'node:buffer';
import type { Flow } from '../flow/flow.ts';
import type { Request } from '../flow/http-message.ts';
import { formatOrigin, readHeaderBytes, readRequestBytes } from '../flow/origin.ts';
import { formatBytes } from '../util/units.ts';

/** A longer body goes through a pipe. In bytes; Linux allows 128 KiB per argument. */
const MAX_ARGUMENT = 64 * 1024;
/** The longest body of a command, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;
/** From this length on, curl sends `Expect: 100-continue` unless it is told not to. */
const EXPECT_BYTES = 1024;
/** A method, or the name of a header, https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** A path that curl does not change. */
const PLAIN_PATH = /^\/[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~[\]{}|]*$/;
/** Characters that a terminal may act on: controls, invisible characters, changes of the text direction. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
/** Characters with a meaning in printf's format, in its quotes, or in the history of a shell. */
const SPECIAL = /[\\%'!\p{C}\p{Zl}\p{Zp}]/gu;
const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '%': '%%', '\\': '\\\\' };

/**
 * Formats a POSIX shell command that sends a flow's request again. Whatever the flow contains, the command is one line
 * without control characters, runs only curl and printf, and makes curl read no file. curl sets Content-Length and
 * Transfer-Encoding itself. Left out are headers that are not valid in HTTP, trailers, and a body that was not recorded.
 * @returns an empty text for a flow that is not http; a comment if the body is longer than 64 MiB.
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

/** The body, if there was one; an empty one if Content-Length was 0. */
function findData({ content, headers, method }: Request): Buffer | undefined {
  if (content && content.length > 0) return content;
  const isSaid = headers.some(([name, value]) => name.toLowerCase() === 'content-length' && value === '0');
  return isSaid && method !== 'HEAD' ? Buffer.alloc(0) : undefined;
}

/** curl normalizes URLs; `--request-target` and `--path-as-is` prevent that. */
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
  // With -X HEAD, curl would wait for a body.
  if (method === 'HEAD' && !hasData) return ['--head'];
  if (method === '' || method === (hasData ? 'POST' : 'GET')) return [];
  return ['-X', quoteWord(Buffer.from(method))];
}

/** The version must be given where TLS does not negotiate it. */
function versionArguments({ httpVersion, scheme }: Request): string[] {
  if (httpVersion === 'HTTP/1.0') return ['--http1.0'];
  return httpVersion.startsWith('HTTP/2') && scheme !== 'https' ? ['--http2-prior-knowledge'] : [];
}

function headerArguments(flow: Flow, request: Request, data: Buffer | undefined): string[] {
  const host = formatOrigin(request).replace(/^http:\/\/(.*?)(:80)?$|^https:\/\/(.*?)(:443)?$/, '$1$3');
  const args: string[] = [];
  const sent = new Set<string>();
  for (const [name, value] of readHeaderBytes(flow)) {
    const key = name.toString('latin1').toLowerCase();
    const text = value.toString('latin1');
    if (!TOKEN.test(key) || /[\0\r\n]/.test(text) || SET_BY_CURL.includes(key)) continue;
    if (key === 'host' && sent.has(key)) continue;
    sent.add(key);
    if (key === 'host' && text === host) continue;
    // `Name:` would remove the header; `Name;` sends it empty.
    const isEmpty = text.trim() === '';
    args.push(
      '-H',
      quoteWord(Buffer.concat([name, Buffer.from(isEmpty ? ';' : ': '), isEmpty ? EMPTY : value])),
    );
  }
  for (const name of listOwnHeaders(data)) if (!sent.has(name.toLowerCase())) args.push('-H', `'${name}:'`);
  return sent.has('accept-encoding') ? [...args, '--compressed'] : args;
}

/** The headers that curl adds by itself, and that must be removed unless the request had them. */
function listOwnHeaders(data: Buffer | undefined): string[] {
  const own = ['User-Agent', 'Accept', ...(data ? ['Content-Type'] : [])];
  return data && data.length >= EXPECT_BYTES ? [...own, 'Expect'] : own;
}

const SET_BY_CURL = ['content-length', 'transfer-encoding'];
const EMPTY = Buffer.alloc(0);

/** Quotes bytes as one word of a POSIX shell. They must not contain NUL or end with a line feed. */
function quoteWord(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (/^[\w./:@-]+$/.test(text)) return text;
  if (isPrintable(bytes)) return `'${bytes.toString('utf8').replaceAll("'", "'\\''")}'`;
  return `"$(printf '${formatPrintf(bytes)}')"`;
}

function isPrintable(bytes: Buffer): boolean {
  return isUtf8(bytes) && !UNPRINTABLE.test(bytes.toString('utf8'));
}

/** Formats bytes for printf in single quotes, with printable characters only. */
function formatPrintf(bytes: Buffer): string {
  const format = isUtf8(bytes)
    ? bytes.toString('utf8').replace(SPECIAL, (char) => ESCAPES[char] ?? formatOctal(Buffer.from(char)))
    : bytes
        .toString('latin1')
        .replace(/[^ -~]|[\\%'!]/g, (char) => ESCAPES[char] ?? formatOctal(Buffer.from(char, 'latin1')));
  // printf would read a leading `-` as an option.
  return format.replace(/^-/, '\\055');
}

function formatOctal(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

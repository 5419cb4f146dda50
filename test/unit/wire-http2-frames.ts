import type { Step } from './wire-file.ts';

/** What a client begins with. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Types of frames and their flags, https://www.rfc-editor.org/rfc/rfc9113#section-6. */
export const [
  DATA,
  HEADERS,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  PUSH_PROMISE,
  PING,
  GOAWAY,
  WINDOW_UPDATE,
  CONTINUATION,
] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
export const [END_STREAM, END_HEADERS, PADDED, HAS_PRIORITY] = [1, 4, 8, 32];

/** A frame of HTTP/2. */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Headers that are added to no table. */
export function block(...lines: string[]): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
  return Buffer.concat(
    lines.flatMap((line) => {
      const at = line.indexOf(': ', 1);
      return [Buffer.from([0]), text(line.slice(0, at)), text(line.slice(at + 2))];
    }),
  );
}

export const request = (path: string, method = 'GET') =>
  block(`:method: ${method}`, ':scheme: http', `:path: ${path}`, ':authority: wool.example', 'x-a: b');
export const ok = block(':status: 200', 'x-b: c');
export const both = END_STREAM | END_HEADERS;
export const begin: Step[] = [
  { c: Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0)]) },
  { s: frame(SETTINGS, 0, 0) },
];
export const over: Step[] = ['client ends', 'app ends', 'over'];
export const code = (number: number) => Buffer.from([0, 0, 0, number]);

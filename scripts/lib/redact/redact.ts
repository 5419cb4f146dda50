import { type Flow, toFlow } from '../flow/flow.ts';
import type { Dict, Value } from '../flow/tnetstring.ts';
import { findInBody, MAX_BODY, openBody } from './body.ts';
import { utf8 } from './escapes.ts';
import { createFinder, type Finder } from './find.ts';
import { findInPath } from './in-form.ts';
import { findInHeader } from './in-header.ts';
import { createKnownFinder } from './known.ts';
import { createMask, type Mask } from './mask.ts';
import { addSpans, maskPieces, mergeSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

export interface RedactorOptions {
  /** More names of secrets, whatever their case, dashes and underscores. */
  names?: string[];
  /** More shapes of secrets, as JavaScript's regular expressions. */
  patterns?: string[];
  /** What masks are made with; otherwise random. */
  key?: Buffer;
}

/**
 * Masks the credentials in flows, as many as can be told. They are found
 *
 * - by their names (secretNames says which), in headers and trailers, cookies, queries, forms, JSON, XML and text, and
 *   in whichever of these is within another, under their escapes or content codings;
 * - by their shapes (secretShapes), wherever they are: tokens of well-known makers, JWTs, private keys, URLs with a
 *   password;
 * - for having been found by name elsewhere in the flow, if they have 8 characters.
 *
 * A mask is as long as the secret, and the same for the same secret from one redactor. What is sent keeps its form:
 * compressed bodies are compressed anew, and Content-Length is right where it was. A body that can't be searched, since
 * it does not decode or is longer than 64 MiB, is replaced by a note.
 * @throws UsageError for a pattern that is no regular expression.
 */
export function createRedactor(options: RedactorOptions = {}): (flow: Flow) => Flow {
  const mask = createMask(options.key);
  const finder = createFinder(options);
  return (flow) => {
    const state = copyValue(flow.state) as Dict;
    const redaction = new Redaction(finder);
    redaction.flow(state);
    return redaction.finish(mask) ? toFlow(state) : flow;
  };
}

/** Buffers are shared: none is changed. */
function copyValue(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyValue);
  if (!(value instanceof Map)) return value;
  return new Map(Array.from(value, ([key, item]) => [key, copyValue(item)]));
}

/** A text of the flow, maybe in pieces, the secrets in it, and where it goes once they are masked. */
interface Unit {
  pieces: string[];
  spans: Span[];
  put: (pieces: string[]) => void;
}

type Find = (text: string) => Span[];

/** What is no text of anybody's. */
const PLAIN = new Set([
  'type',
  'id',
  'is_replay',
  'client_conn',
  'server_conn',
  'http_version',
  'method',
  'scheme',
]);
/** Those of a body, by which a short secret in it could be tried out. */
const DIGESTS = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest', 'x-amz-content-sha256']);

class Redaction {
  readonly #finder: Finder;
  readonly #units: Unit[] = [];
  #changed = false;

  constructor(finder: Finder) {
    this.#finder = finder;
  }

  /** Masks what was found. @returns whether anything was. */
  finish(mask: Mask): boolean {
    const known = createKnownFinder(this.#named());
    for (const { pieces, spans, put } of this.#units) {
      const text = pieces.length === 1 ? (pieces[0] as string) : pieces.join('');
      if (known) addSpans(spans, known(text));
      if (spans.length === 0) continue;
      put(maskPieces(pieces, mergeSpans(spans, text), mask));
      this.#changed = true;
    }
    return this.#changed;
  }

  *#named(): Generator<string> {
    for (const { spans } of this.#units)
      for (const { named, secret } of spans)
        if (named && !this.#finder.names.findStrength(secret)) yield secret;
  }

  flow(state: Dict): void {
    for (const [key, value] of state) {
      if (key === 'backup' && value instanceof Map) this.flow(value);
      else if (key === 'messages' && Array.isArray(value)) this.#messages(value, state.get('type') === 'tcp');
      else if ((key === 'request' || key === 'response') && value instanceof Map && value.has('headers'))
        this.#message(value);
      else if (!PLAIN.has(key)) this.#value(state, key, key);
    }
    for (const side of ['client_conn', 'server_conn']) {
      const connection = state.get(side);
      if (connection instanceof Map) this.#value(connection, 'error', 'error');
    }
  }

  /** Whatever else: an error, a comment, metadata, a WebSocket's messages. */
  #value(holder: Dict | Value[], key: string | number, name: string): void {
    const value = (holder instanceof Map ? holder.get(String(key)) : holder[Number(key)]) ?? null;
    const put = (item: Value) => {
      if (holder instanceof Map) holder.set(String(key), item);
      else holder[Number(key)] = item;
    };
    if (typeof value === 'string' || Buffer.isBuffer(value))
      this.#text(value, put, (text) => this.#namedValue(text, name));
    else if (Array.isArray(value)) for (const index of value.keys()) this.#value(value, index, name);
    else if (value instanceof Map) for (const inner of value.keys()) this.#value(value, inner, inner);
  }

  #namedValue(text: string, name: string): Span[] {
    const strength = this.#finder.names.findStrength(name);
    const isSecret = strength && isSecretValue(text, strength);
    return isSecret ? [toValueSpan(text, text, 0)] : this.#finder.within(text);
  }

  #text(value: string | Buffer, put: (value: Value) => void, find: Find): void {
    const isText = typeof value === 'string';
    if (value.length > MAX_BODY) {
      this.#changed = true;
      put(isText ? formatNote('too long') : Buffer.from(formatNote('too long')));
      return;
    }
    const text = isText ? utf8(value) : value.toString('latin1');
    this.#unit([text], find, ([changed = '']) => {
      const bytes = Buffer.from(changed, 'latin1');
      put(isText ? bytes.toString('utf8') : bytes);
    });
  }

  #unit(pieces: string[], find: Find, put: (pieces: string[]) => void): void {
    this.#units.push({ pieces, spans: find(pieces.join('')), put });
  }

  /** Those of a stream are cut wherever: what was sent in one direction is one text. */
  #messages(messages: Value[], isStream: boolean): void {
    const lists = messages.filter((message) => Array.isArray(message));
    const groups = isStream
      ? [true, false].map((side) => lists.filter(([from]) => from === side))
      : lists.map((one) => [one]);
    for (const group of groups) {
      const contents = group.map(([, content]) => (Buffer.isBuffer(content) ? content : Buffer.alloc(0)));
      const isLong = contents.reduce((sum, { length }) => sum + length, 0) > MAX_BODY;
      if (isLong) for (const message of group) this.#value(message, 1, '');
      else
        this.#unit(
          contents.map((content) => content.toString('latin1')),
          this.#finder.within,
          (pieces) => {
            for (const [index, piece] of pieces.entries())
              (group[index] as Value[])[1] = Buffer.from(piece, 'latin1');
          },
        );
    }
  }

  #message(message: Dict): void {
    for (const key of ['headers', 'trailers']) {
      const headers = message.get(key);
      if (Array.isArray(headers)) for (const header of headers) this.#header(header);
    }
    for (const [key, value] of message) {
      if (key === 'path' && Buffer.isBuffer(value))
        this.#text(
          value,
          (item) => message.set(key, item),
          (text) => findInPath(text, this.#finder),
        );
      else if (key === 'content' && Buffer.isBuffer(value)) this.#body(message, value);
      else if (!PLAIN.has(key) && key !== 'headers' && key !== 'trailers') this.#value(message, key, key);
    }
  }

  #header(header: Value): void {
    if (!Array.isArray(header)) return;
    const [name, value] = header;
    if (!Buffer.isBuffer(name) || !Buffer.isBuffer(value)) return;
    const put = (item: Value) => {
      header[1] = item;
    };
    this.#text(value, put, (text) => findInHeader(name.toString('latin1'), text, this.#finder));
  }

  #body(message: Dict, content: Buffer): void {
    if (content.length === 0) return;
    const headers = new HeaderList(message);
    const contentType = headers.get('content-type');
    const body = openBody(content, headers.get('content-encoding'), contentType);
    const put = (bytes: Buffer) => {
      message.set('content', bytes);
      headers.set('content-length', (value) =>
        value === String(content.length) ? String(bytes.length) : value,
      );
    };
    if (typeof body === 'string') {
      this.#changed = true;
      headers.remove('content-encoding');
      put(Buffer.from(formatNote(`${body}; ${content.length} bytes`)));
      return;
    }
    const find = (text: string) => findInBody(text, contentType, this.#finder);
    this.#unit([body.text], find, ([text = '']) => {
      put(body.encode(text));
      for (const name of DIGESTS) headers.set(name, (value) => 'x'.repeat(value.length));
    });
  }
}

function formatNote(why: string): string {
  return `[redacted unread: ${why}]`;
}

/** A message's headers, which are changed in place. */
class HeaderList {
  readonly #message: Dict;

  constructor(message: Dict) {
    this.#message = message;
  }

  #all(name: string): [Buffer, Buffer][] {
    const headers = this.#message.get('headers') as [Buffer, Buffer][];
    return headers.filter(([key]) => key.toString('latin1').toLowerCase() === name);
  }

  get(name: string): string {
    return this.#all(name)
      .map(([, value]) => value.toString('latin1'))
      .join(', ');
  }

  set(name: string, change: (value: string) => string): void {
    for (const header of this.#all(name))
      header[1] = Buffer.from(change(header[1].toString('latin1').trim()), 'latin1');
  }

  remove(name: string): void {
    const gone = new Set<Value>(this.#all(name));
    this.#message.set(
      'headers',
      (this.#message.get('headers') as Value[]).filter((header) => !gone.has(header)),
    );
  }
}

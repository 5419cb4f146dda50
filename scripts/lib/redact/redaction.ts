import { MAX_BODY } from '../flow/body.ts';
import type { Dict, Value } from '../flow/tnetstring.ts';
import { findInBody, openBody } from './body.ts';
import type { Finder } from './finder.ts';
import { HeaderList } from './header-list.ts';
import { findInPath } from './in-form.ts';
import { findInHeader } from './in-header.ts';
import type { Mask } from './mask.ts';
import type { Span } from './span.ts';
import { formatNote, Units } from './units.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** Fields that hold no captured text. */
const PLAIN = new Set('type id is_replay client_conn server_conn http_version method scheme'.split(' '));
/** Digests of a body: they would let anyone find a short secret in it by trying. */
const DIGESTS = ['content-md5', 'digest', 'content-digest', 'repr-digest', 'x-amz-content-sha256'];

/** Redacts the state of one flow, in place. */
export class Redaction {
  readonly #finder: Finder;
  readonly #units: Units;

  constructor(finder: Finder) {
    this.#finder = finder;
    this.#units = new Units(finder);
  }

  /** @returns whether anything was changed. */
  run(state: Dict, mask: Mask): boolean {
    this.#flow(state);
    this.#units.mask(mask);
    return this.#units.isChanged;
  }

  #flow(state: Dict): void {
    for (const [key, value] of state) {
      if (key === 'backup' && value instanceof Map) this.#flow(value);
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

  /** Everything else: an error, a comment, metadata, the messages of a WebSocket. */
  #value(holder: Dict | Value[], key: string | number, name: string): void {
    const value = (holder instanceof Map ? holder.get(String(key)) : holder[Number(key)]) ?? null;
    const put = (item: Value) => {
      if (holder instanceof Map) holder.set(String(key), item);
      else holder[Number(key)] = item;
    };
    if (typeof value === 'string' || Buffer.isBuffer(value))
      this.#units.addValue(value, put, (text) => this.#findInValue(text, name));
    else if (Array.isArray(value)) for (const index of value.keys()) this.#value(value, index, name);
    else if (value instanceof Map) for (const inner of value.keys()) this.#value(value, inner, inner);
  }

  #findInValue(text: string, name: string): Span[] {
    const strength = this.#finder.names.findStrength(name);
    const isSecret = strength && isSecretValue(text, strength);
    return isSecret ? [toValueSpan(text, text, 0)] : this.#finder.within(text);
  }

  /** A stream is cut anywhere: all that one side sent is one text. */
  #messages(messages: Value[], isStream: boolean): void {
    const lists = messages.filter((message) => Array.isArray(message));
    const groups = isStream
      ? [true, false].map((side) => lists.filter(([from]) => from === side))
      : lists.map((one) => [one]);
    for (const group of groups) {
      const contents = group.map(([, content]) => (Buffer.isBuffer(content) ? content : Buffer.alloc(0)));
      const isLong = contents.reduce((sum, { length }) => sum + length, 0) > MAX_BODY;
      if (isLong) for (const message of group) this.#value(message, 1, '');
      else this.#contents(group, contents);
    }
  }

  #contents(group: Value[][], contents: Buffer[]): void {
    const texts = contents.map((content) => content.toString('latin1'));
    this.#units.add(texts, this.#finder.within, (pieces) => {
      for (const [index, piece] of pieces.entries())
        (group[index] as Value[])[1] = Buffer.from(piece, 'latin1');
    });
  }

  #message(message: Dict): void {
    for (const key of ['headers', 'trailers']) {
      const headers = message.get(key);
      if (Array.isArray(headers)) for (const header of headers) this.#header(header);
    }
    for (const [key, value] of message) {
      if (key === 'path' && Buffer.isBuffer(value)) this.#path(message, value);
      else if (key === 'content' && Buffer.isBuffer(value)) this.#body(message, value);
      else if (!PLAIN.has(key) && key !== 'headers' && key !== 'trailers') this.#value(message, key, key);
    }
  }

  #path(message: Dict, path: Buffer): void {
    const put = (item: Value) => {
      message.set('path', item);
    };
    this.#units.addValue(path, put, (text) => findInPath(text, this.#finder));
  }

  #header(header: Value): void {
    if (!Array.isArray(header)) return;
    const [name, value] = header;
    if (!Buffer.isBuffer(name) || !Buffer.isBuffer(value)) return;
    const put = (item: Value) => {
      header[1] = item;
    };
    this.#units.addValue(value, put, (text) => findInHeader(name.toString('latin1'), text, this.#finder));
  }

  #body(message: Dict, content: Buffer): void {
    if (content.length === 0) return;
    const headers = new HeaderList(message);
    const contentType = headers.get('content-type');
    const body = openBody(content, headers.get('content-encoding'), contentType);
    const put = (bytes: Buffer) => {
      message.set('content', bytes);
      const [old, length] = [String(content.length), String(bytes.length)];
      headers.set('content-length', (value) => (value === old ? length : value));
    };
    if (typeof body === 'string') {
      this.#units.isChanged = true;
      headers.remove('content-encoding');
      put(Buffer.from(formatNote(`${body}; ${content.length} bytes`)));
      return;
    }
    const find = (text: string) => findInBody(text, contentType, this.#finder);
    this.#units.add([body.text], find, ([text = '']) => {
      put(body.encode(text));
      for (const name of DIGESTS) headers.set(name, (value) => 'x'.repeat(value.length));
    });
  }
}

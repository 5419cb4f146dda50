import type { RawHeader } from './head.ts';

/** The entries that are always there, https://www.rfc-editor.org/rfc/rfc7541#appendix-A: a header a line, from index 1. */
const STATIC: RawHeader[] = `\
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .map((line) => {
    const [name = ''] = line.split(' ', 1);
    return [Buffer.from(name), Buffer.from(line.slice(name.length + 1))];
  });

/** What an entry counts beside its bytes, https://www.rfc-editor.org/rfc/rfc7541#section-4.1. */
const ENTRY_OVERHEAD = 32;
/** The size of a table at first, https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2. */
const FIRST_SIZE = 4096;

/** The headers that an HPACK decoder can refer to by number: those that are always there, and those that were sent. */
export class HeaderTable {
  /** The oldest first. */
  #entries: RawHeader[] = [];
  #size = 0;
  #limit = FIRST_SIZE;

  /** How many bytes its entries count. */
  get size(): number {
    return this.#size;
  }

  /** @param index from 1 on; the static entries come first, then the last that was added. */
  get(index: number): RawHeader | undefined {
    if (index <= STATIC.length) return STATIC[index - 1];
    return this.#entries[this.#entries.length - (index - STATIC.length)];
  }

  add(header: RawHeader): void {
    this.#size += countEntry(header);
    this.#entries.push(header);
    this.#evict();
  }

  resize(limit: number): void {
    this.#limit = limit;
    this.#evict();
  }

  #evict(): void {
    let evicted = 0;
    for (; this.#size > this.#limit; evicted++) this.#size -= countEntry(this.#entries[evicted] as RawHeader);
    if (evicted > 0) this.#entries.splice(0, evicted);
  }
}

/** What an entry counts of a table's size. */
export function countEntry([name, value]: RawHeader): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

/** The words of SPDY/3's dictionary; each is preceded by its length. */
const WORDS = `options head post put delete trace accept accept-charset accept-encoding accept-language
accept-ranges age allow authorization cache-control connection content-base content-encoding content-language
content-length content-location content-md5 content-range content-type date etag expect expires from host if-match
if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma
proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade
user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie
keep-alive origin`;

const STATUSES = `100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505`;

const REASONS = `203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable`;

const VALUES = `Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,\
publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.`;

/** The dictionary of both compressors: zlib refuses the stream if one byte differs. */
const dictionary = Buffer.concat([
  ...WORDS.split(/\s/).map((word) => sized(word.replace('_', ' '))),
  Buffer.from(STATUSES + REASONS + VALUES),
]);

export type Headers = Record<string, string>;

/** The headers of one SPDY connection; each direction is one compressed stream. */
export class HeaderBlocks {
  readonly #inflate: Inflate = createInflate({ dictionary });
  readonly #deflate: Deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  constructor() {
    // The waiting caller gets the error.
    for (const zlib of [this.#inflate, this.#deflate]) zlib.on('error', () => undefined);
  }

  async decode(block: Buffer): Promise<Headers> {
    const plain = await through(this.#inflate, block);
    const headers: Headers = {};
    let at = 4;
    const next = () => {
      const start = at + 4;
      at = start + plain.readUInt32BE(at);
      return plain.toString('utf8', start, at);
    };
    for (let left = plain.readUInt32BE(0); left > 0; left--) headers[next()] = next();
    return headers;
  }

  async encode(headers: Headers): Promise<Buffer> {
    const entries = Object.entries(headers);
    const words = entries.flatMap(([name, value]) => [sized(name), sized(value)]);
    return await through(this.#deflate, Buffer.concat([uint32(entries.length), ...words]));
  }
}

function sized(word: string): Buffer {
  return Buffer.concat([uint32(Buffer.byteLength(word)), Buffer.from(word)]);
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

/** Passes a block through zlib, which flushes after each write. */
async function through(zlib: Inflate | Deflate, block: Buffer): Promise<Buffer> {
  await new Promise<void>((resolve, reject) =>
    zlib.write(block, (error) => (error ? reject(error) : resolve())),
  );
  return zlib.read() ?? Buffer.alloc(0);
}

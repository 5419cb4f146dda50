import { crc32, inflateRawSync } from 'node:zlib';

/**
 * The files of a zip by their paths: stored or deflated, sizes as the central directory tells them, which is there
 * whether they were known when the file was written or not.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16
 * @throws Error when it is damaged, or holds a path twice, or is beyond 4 GB (Zip64).
 */
export function readZip(zip: Buffer): Map<string, Buffer> {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('not a zip: it has no end of central directory');
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.toString('latin1', at, at + 4) !== 'PK\x01\x02') throw new Error(`no entry at ${at}`);
    const [name, next] = [at + 46, at + 46 + zip.readUInt16LE(at + 28)];
    const path = zip.toString('utf8', name, next);
    if (files.has(path)) throw new Error(`${path} is there twice`);
    files.set(path, readEntry(zip, at, path));
    at = next + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  if (at !== end) throw new Error('the central directory does not end where it should');
  return files;
}

/** The content of the file whose entry in the central directory begins at some offset. */
function readEntry(zip: Buffer, entry: number, path: string): Buffer {
  const method = zip.readUInt16LE(entry + 10);
  if (method !== 0 && method !== 8) throw new Error(`${path} is neither stored nor deflated`);
  const header = zip.readUInt32LE(entry + 42);
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  const packed = zip.subarray(start, start + zip.readUInt32LE(entry + 20));
  const content = method === 0 ? packed : inflateRawSync(packed);
  if (content.length !== zip.readUInt32LE(entry + 24) || crc32(content) !== zip.readUInt32LE(entry + 16))
    throw new Error(`${path} is damaged`);
  return content;
}

const BLOCK = 512;
/** Readable and writable by the owner alone. */
const MODE = 0o600;
/** 1980-01-01, in s. mitmproxy never loads a script that was changed in 1970, at 0 s. */
const TIME = 315_532_800;

/**
 * Packs files into an archive that tar unpacks: the ustar format of POSIX,
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html. The same files make the same bytes: all have
 * one time and no owner.
 * @param files content by path, with folders by `/`.
 * @throws Error for a path of more than 100 bytes.
 */
export function packTar(files: Record<string, string>): Buffer {
  const entries = Object.entries(files).map(([path, text]) => {
    const content = Buffer.from(text);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return Buffer.concat([formatHead(path, content.length), content, padding]);
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}

function formatHead(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for an archive`);
  const head = Buffer.alloc(BLOCK);
  head.write(path, 0);
  for (const [value, at, length] of [
    [MODE, 100, 8],
    [0, 108, 8],
    [0, 116, 8],
    [size, 124, 12],
    [TIME, 136, 12],
  ] as const)
    head.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  head.write('0', 156);
  head.write('ustar\x0000', 257);
  // The sum of all bytes, with spaces in its own place.
  const sum = head.fill(' ', 148, 156).reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return head;
}

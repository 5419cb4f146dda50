import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { mittensCommand } from '../cli/to-run.ts';
import type { SentFile } from '../plan/request.ts';
import { UserError } from '../util/error.ts';
import { message } from '../util/message.ts';
import { formatBytes } from '../util/units.ts';

/** The limit of Linux for a variable, in bytes, less its name: MAX_ARG_STRLEN, https://man7.org/linux/man-pages/man2/execve.2.html. */
const MAX_LENGTH = 128 * 1024 - 100;

/** Reads and compresses a file. @throws UserError when it can't be read, or is too big to be sent. */
export function readSentFile(flag: SentFile['flag'], path: string): SentFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`${path} can't be read: ${(error as Error).message}`);
  }
  const content = gzipSync(bytes, { level: 9 }).toString('base64');
  const name = basename(path)
    .replace(/[^\w.-]/g, '_')
    .slice(-60);
  if (content.length <= MAX_LENGTH) return { flag, name, content };
  throw new UserError(
    `${path} is too big for the pods: ${formatBytes(content.length)} compressed, of at most 128 KiB`,
    {
      hint:
        flag === '--scripts'
          ? undefined
          : message`send fewer flows: ${mittensCommand('flows', [path], { filter: 'EXPRESSION', write: 'FILE' })}`,
    },
  );
}

/** What a write fails with when nobody reads any more: the reader of a pipe has ended, a terminal was closed. */
const CODES = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];

export function isUnread(error: unknown): boolean {
  return CODES.includes(String((error as NodeJS.ErrnoException | undefined)?.code));
}

/**
 * Drops what is written where nobody reads: such an error would end Node at once, before a Service is restored.
 * @throws any other error of these streams, from wherever it was written.
 */
export function dropUnreadOutput(streams: NodeJS.WriteStream[] = [process.stdout, process.stderr]): void {
  for (const stream of streams)
    stream.on('error', (error) => {
      if (!isUnread(error)) throw error;
    });
}

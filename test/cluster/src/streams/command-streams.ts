import type { Readable, Writable } from 'node:stream';

/** What connects a client to a command, in whatever protocol. All streams end when the client goes. */
export interface CommandStreams {
  stdin: Readable | undefined;
  stdout: Writable | undefined;
  stderr: Writable | undefined;
  /** Takes the Status at the end. */
  error: Writable;
  /** JSON, one object a size. */
  resize: Readable | undefined;
  /** Resolves when the client is gone. */
  gone: Promise<void>;
  /** Ends the connection from this side, once all has been sent. */
  close(): void;
}

import type { Readable, Writable } from 'node:stream';

/** A client's streams of a command, in any protocol. All end when the client disconnects. */
export interface CommandStreams {
  stdin: Readable | undefined;
  stdout: Writable | undefined;
  stderr: Writable | undefined;
  /** Takes the final Status. */
  error: Writable;
  /** One JSON object for each size. */
  resize: Readable | undefined;
  /** Resolves when the client has disconnected. */
  gone: Promise<void>;
  /** Closes the connection from this side, once all is sent. */
  close(): void;
}

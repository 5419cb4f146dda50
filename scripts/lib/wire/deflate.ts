import { constants, inflateRawSync } from 'node:zlib';
import type { RawHeader } from './head.ts';

/** As far back as DEFLATE looks, https://www.rfc-editor.org/rfc/rfc1951#section-2. */
const WINDOW_BYTES = 32 * 1024;
/** A longer message is not inflated: a few bytes can become gigabytes. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** What senders leave out at a message's end, https://www.rfc-editor.org/rfc/rfc7692#section-7.2.2. */
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** The parameters of permessage-deflate. */
export interface DeflateParameters {
  /** Whether a side looks back into its earlier messages. */
  client: { takeover: boolean };
  server: { takeover: boolean };
}

/** What a response has agreed to. @returns undefined when messages are not compressed. */
export function parseDeflate(headers: RawHeader[]): DeflateParameters | undefined {
  const values = headers
    .filter(([name]) => name.toString('latin1').toLowerCase() === 'sec-websocket-extensions')
    .flatMap(([, value]) => value.toString('latin1').toLowerCase().split(','));
  for (const value of values) {
    const [name, ...parameters] = value.split(';').map((part) => part.trim());
    if (name !== 'permessage-deflate') continue;
    return {
      client: { takeover: !parameters.includes('client_no_context_takeover') },
      server: { takeover: !parameters.includes('server_no_context_takeover') },
    };
  }
  return undefined;
}

/** Inflates the messages of one side, which may look back into those before. */
export class Inflater {
  readonly #takeover: boolean;
  #window = Buffer.alloc(0);
  #isLost = false;

  constructor({ takeover }: { takeover: boolean }) {
    this.#takeover = takeover;
  }

  /** @returns undefined for what does not inflate, as for all that look back into it. */
  inflate(bytes: Buffer): Buffer | undefined {
    if (this.#isLost) return undefined;
    try {
      const message = inflateRawSync(Buffer.concat([bytes, TAIL]), {
        ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MAX_MESSAGE_BYTES,
      });
      if (this.#takeover)
        this.#window = Buffer.from(
          Buffer.concat([this.#window, message.subarray(-WINDOW_BYTES)]).subarray(-WINDOW_BYTES),
        );
      return message;
    } catch {
      this.lose();
      return undefined;
    }
  }

  /** A message is not there as a whole: later ones may look back into it. */
  lose(): void {
    this.#isLost = this.#takeover;
  }
}

/** What an inflater takes in memory, in bytes. */
export const INFLATER_COST = WINDOW_BYTES;

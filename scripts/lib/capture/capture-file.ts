import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { UserError } from '../util/error.ts';

/** When a capture file is full. */
export interface CaptureLimits {
  /** In flows. */
  count?: number | undefined;
  /** In bytes. */
  size?: number | undefined;
}

/** Why a capture file takes no more flows: a limit is reached, or nobody reads stdout any more. */
export type CaptureFileEnd = 'count' | 'size' | 'closed';

/** What may wait to be written, in bytes: small flows are written many at a time. */
const BUFFERED_BYTES = 1024 * 1024;

/** The file to which a capture writes flows as they come, or stdout. The first flow creates it. */
export class CaptureFile {
  readonly name: string;
  readonly #limits: CaptureLimits;
  readonly #ended = new AbortController();
  #stream: Writable | undefined;
  #opening: Promise<void> | undefined;
  #drained: Promise<void> | undefined;

  flows = 0;
  bytes = 0;

  /** @param name a path, or `-`. */
  constructor(name: string, limits: CaptureLimits = {}) {
    this.name = name;
    this.#limits = limits;
  }

  /** Aborts when the file takes no more flows. The reason is a CaptureFileEnd or a UserError. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Creates or empties the file. Only its owner can read it, because flows have passwords in them.
   * @throws UserError when that fails.
   */
  async open(): Promise<void> {
    this.#stream =
      this.name === '-'
        ? process.stdout
        : createWriteStream(this.name, { mode: 0o600, highWaterMark: BUFFERED_BYTES });
    this.#stream.on('error', (error) => this.#ended.abort(this.#explain(error)));
    if (this.name !== '-') await once(this.#stream, 'open').catch(() => undefined);
    if (this.ended.reason instanceof Error) throw this.ended.reason;
  }

  /** Writes a flow, unless a limit is reached. */
  async add(flow: Buffer): Promise<void> {
    const { count = Infinity, size = Infinity } = this.#limits;
    if (this.ended.aborted) return;
    if (this.bytes + flow.length > size) return this.#ended.abort('size');
    // Several pods may bring the first flow at the same time.
    this.#opening ??= this.#stream ? Promise.resolve() : this.open().catch(() => undefined);
    await this.#opening;
    if (this.ended.aborted) return;
    this.flows++;
    this.bytes += flow.length;
    if (this.flows === count) this.#ended.abort('count');
    if (this.#stream?.write(flow) || this.#stream?.destroyed) return;
    this.#drained ??= this.#drain();
    await this.#drained;
  }

  async #drain(): Promise<void> {
    await once(this.#stream as Writable, 'drain', { signal: this.ended }).catch(() => undefined);
    this.#drained = undefined;
  }

  /** Waits until everything is written. @throws UserError when writing failed. */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (stream && stream !== process.stdout && !stream.destroyed)
      await finished(stream.end()).catch(() => undefined);
    if (this.ended.reason instanceof Error) throw this.ended.reason;
  }

  #explain(error: NodeJS.ErrnoException): unknown {
    // The reader of stdout has ended.
    if (this.name === '-' && error.code === 'EPIPE') return 'closed' satisfies CaptureFileEnd;
    return new UserError(`${this.name}: ${error.message}`);
  }
}

/** Local time for the names of files: 20261123-170000. */
export function formatTimestamp(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('');
  return `${day}-${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join('')}`;
}

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { UserError } from '../util/error.ts';

/** When a recording is full. */
export interface CaptureLimits {
  /** Flows. */
  count?: number | undefined;
  /** Bytes. */
  size?: number | undefined;
}

/** Why a recording takes no more flows: it has as many, or as many bytes, as it may; or nobody reads stdout. */
export type CaptureFileEnd = 'count' | 'size' | 'closed';

/** A file that flows are written to as they come, each whole, or stdout. It is made with the first flow. */
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

  /** Aborted when the recording takes no more; its reason is a RecordingEnd, or a UserError. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Makes the file, or empties it. Only its owner can read it: it will have passwords in it.
   * @throws UserError when that is not possible.
   */
  async open(): Promise<void> {
    this.#stream = this.name === '-' ? process.stdout : createWriteStream(this.name, { mode: 0o600 });
    this.#stream.on('error', (error) => this.#ended.abort(this.#explain(error)));
    if (this.name !== '-') await once(this.#stream, 'open').catch(() => undefined);
    if (this.ended.reason instanceof Error) throw this.ended.reason;
  }

  /** Writes a flow; one that is beyond the limits, or that comes after, is left out. */
  async add(flow: Buffer): Promise<void> {
    const { count = Infinity, size = Infinity } = this.#limits;
    if (this.ended.aborted) return;
    if (this.bytes + flow.length > size) return this.#ended.abort('size');
    // Several pods may come with the first.
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

  /** Waits until all is written. @throws UserError when that was not possible. */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (stream && stream !== process.stdout && !stream.destroyed)
      await finished(stream.end()).catch(() => undefined);
    if (this.ended.reason instanceof Error) throw this.ended.reason;
  }

  #explain(error: NodeJS.ErrnoException): unknown {
    // Whoever read our stdout has seen enough.
    if (this.name === '-' && error.code === 'EPIPE') return 'closed' satisfies CaptureFileEnd;
    return new UserError(`${this.name}: ${error.message}`);
  }
}

/** Local time as it stands in the names of files: 20261123-170000. */
export function formatTimestamp(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('');
  return `${day}-${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join('')}`;
}

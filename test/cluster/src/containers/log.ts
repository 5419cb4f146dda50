import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';

export interface LogOptions {
  /** Only this many last lines; all by default. */
  tail?: number | undefined;
  since?: Date | undefined;
  timestamps?: boolean | undefined;
  limitBytes?: number | undefined;
  /** Continues with new output until the container ends. */
  follow?: boolean | undefined;
}

type Source = 'stdout' | 'stderr';

/** A line with its newline, or a part of a long line. */
interface Entry {
  time: Date;
  bytes: Buffer;
  /** Whether it continues the line of the entry before. */
  continues: boolean;
}

/** How many bytes are kept: the kubelet's default containerLogMaxSize. */
const MOST = 10 << 20;

/** Above this many bytes containerd splits a line. */
const LONGEST = 16 << 10;

/** A container's output, as `kubectl logs` reads it. */
export class Log {
  #entries: Entry[] = [];
  /** How many entries were dropped from the front. */
  #dropped = 0;
  #size = 0;
  #ended = false;
  readonly #partial: Record<Source, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  readonly #continues: Record<Source, boolean> = { stdout: false, stderr: false };
  readonly #events = new EventEmitter().setMaxListeners(0);

  write(source: Source, chunk: Buffer): void {
    let rest = Buffer.concat([this.#partial[source], chunk]);
    for (;;) {
      const newline = rest.indexOf(10);
      const whole = newline >= 0 && newline < LONGEST;
      if (!whole && rest.length < LONGEST) break;
      const length = whole ? newline + 1 : LONGEST;
      this.#add(source, Buffer.from(rest.subarray(0, length)), !whole);
      rest = rest.subarray(length);
    }
    this.#partial[source] = Buffer.from(rest);
    this.#events.emit('change');
  }

  /** Call when the container has ended: flushes what has no newline yet. */
  end(): void {
    for (const source of ['stdout', 'stderr'] as const)
      if (this.#partial[source].length > 0) this.#add(source, this.#partial[source], true);
    this.#ended = true;
    this.#events.emit('change');
  }

  read(options: LogOptions = {}): Readable {
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
    let position = this.#first(options);
    const pump = () => {
      position = Math.max(position, this.#dropped);
      for (let entry = this.#at(position); entry && left > 0; entry = this.#at(position)) {
        position++;
        const bytes = render(entry, options.timestamps === true).subarray(0, left);
        left -= bytes.length;
        if (!readable.push(bytes)) return;
      }
      if (left <= 0 || this.#ended || !options.follow) readable.push(null);
      else this.#events.once('change', pump);
    };
    const readable = new Readable({
      read: () => {
        this.#events.off('change', pump);
        pump();
      },
      destroy: (error, done) => {
        this.#events.off('change', pump);
        done(error);
      },
    });
    return readable;
  }

  #at(position: number): Entry | undefined {
    return this.#entries[position - this.#dropped];
  }

  /** The position of the first entry to return. */
  #first({ tail, since }: LogOptions): number {
    const from = since ? this.#entries.findIndex(({ time }) => time >= since) : 0;
    const earliest = from < 0 ? this.#entries.length : from;
    let first = this.#entries.length;
    for (let lines = 0; first > earliest && (tail === undefined || lines < tail); first--)
      if (!this.#entries[first - 1]?.continues) lines++;
    return this.#dropped + first;
  }

  #add(source: Source, bytes: Buffer, partial: boolean): void {
    this.#entries.push({ time: new Date(), bytes, continues: this.#continues[source] });
    this.#continues[source] = partial;
    this.#size += bytes.length;
    while (this.#size > MOST) {
      this.#size -= this.#entries.shift()?.bytes.length ?? 0;
      this.#dropped++;
    }
  }
}

function render({ time, bytes, continues }: Entry, timestamps: boolean): Buffer {
  if (!timestamps || continues) return bytes;
  // The API has nanoseconds, this clock milliseconds.
  return Buffer.concat([Buffer.from(`${time.toISOString().slice(0, -1)}000000Z `), bytes]);
}

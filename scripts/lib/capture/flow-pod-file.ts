import { type Flow, parseFlow } from '../flow/flow.ts';
import { Splitter } from '../flow/splitter.ts';
import { decode } from '../flow/tnetstring.ts';
import { paths } from '../plan/pod-contract.ts';
import { formatBytes } from '../util/units.ts';
import type { CapturedFlow, PodFile } from './pod-file.ts';

/** The addon ends its file with a short entry. A flow is always longer than this. */
const MAX_END_BYTES = 200;

/** The flows that the addon in a pod writes: templates/addon/flow_file.py. */
export class FlowPodFile implements PodFile {
  readonly path = paths.flows;
  readonly #splitter = new Splitter();
  #missing: Missing = { dropped: 0, unread: 0 };
  isOver = false;

  get received(): number {
    return this.passed + this.#splitter.holding;
  }

  get passed(): number {
    return this.#splitter.passed;
  }

  *push(chunk: Buffer): Generator<CapturedFlow> {
    for (const entry of this.#splitter.push(chunk)) {
      const missing = parseEnd(entry);
      if (missing === undefined) yield new WrittenFlow(entry);
      else {
        this.#missing = missing;
        this.isOver = true;
        return;
      }
    }
  }

  /** The addon writes open flows before it ends. */
  *end(): Generator<CapturedFlow> {}

  listOmissions(): string[] {
    const { dropped, unread } = this.#missing;
    return [
      ...(dropped > 0 ? [`${dropped} flows are missing: its disk or its 1 GiB was full`] : []),
      ...(unread > 0 ? [`${formatBytes(unread)} passed unread: mitmproxy was too slow for them`] : []),
    ];
  }
}

class WrittenFlow implements CapturedFlow {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** @throws FlowError for an entry that is no flow. */
  get flow(): Flow {
    return parseFlow(this.bytes);
  }
}

/** What is not in the file. */
interface Missing {
  /** Flows that could not be written. */
  dropped: number;
  /** Bytes of which no flows were made. */
  unread: number;
}

/** Parses the last entry of the file; undefined for a flow. */
function parseEnd(entry: Buffer): Missing | undefined {
  if (entry.length > MAX_END_BYTES) return undefined;
  const value = decode(entry);
  if (!(value instanceof Map) || value.get('mittens') !== 'end') return undefined;
  const [dropped = 0, unread = 0] = ['dropped', 'unread'].map((name) => Number(value.get(name)) || 0);
  return { dropped, unread };
}

import { type Flow, parseFlow } from '../flow/flow.ts';
import { Splitter } from '../flow/splitter.ts';
import { decode } from '../flow/tnetstring.ts';
import { paths } from '../plan/pod-contract.ts';
import type { CapturedFlow, PodFile } from './pod-file.ts';

/** The addon ends its file with a short entry. A flow is always longer than this. */
const MAX_END_BYTES = 200;

/** The flows that the addon in a pod writes: templates/addon/flow_file.py. */
export class FlowPodFile implements PodFile {
  readonly path = paths.flows;
  readonly #splitter = new Splitter();
  #dropped = 0;
  isOver = false;

  get received(): number {
    return this.passed + this.#splitter.holding;
  }

  get passed(): number {
    return this.#splitter.passed;
  }

  *push(chunk: Buffer): Generator<CapturedFlow> {
    for (const entry of this.#splitter.push(chunk)) {
      const dropped = parseEnd(entry);
      if (dropped === undefined) yield new WrittenFlow(entry);
      else {
        this.#dropped = dropped;
        this.isOver = true;
        return;
      }
    }
  }

  /** The addon writes open flows before it ends. */
  *end(): Generator<CapturedFlow> {}

  listOmissions(): string[] {
    return this.#dropped > 0 ? [`${this.#dropped} flows are missing: its disk or its 1 GiB was full`] : [];
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

/** Parses the last entry of the file. @returns how many flows could not be written; undefined for a flow. */
function parseEnd(entry: Buffer): number | undefined {
  if (entry.length > MAX_END_BYTES) return undefined;
  const value = decode(entry);
  if (!(value instanceof Map) || value.get('mittens') !== 'end') return undefined;
  return Number(value.get('dropped')) || 0;
}

import { type Flow, toFlow } from '../flow/flow.ts';
import { encode } from '../flow/tnetstring-encode.ts';
import { WireDecoder } from '../wire/decoder.ts';
import { describeOmissions } from '../wire/read.ts';
import { cutBodies } from './body-limit.ts';
import type { CapturedFlow, PodFile, Reading } from './pod-file.ts';

/** What the door in a pod writes: every byte that passed. Each flow is given once, when it has ended. */
export class WirePodFile implements PodFile {
  readonly path = '/tmp/mittens.wire';
  readonly #decoder: WireDecoder;
  readonly #bodyLimit: number | undefined;

  constructor({ bodyLimit, budget }: Reading) {
    this.#decoder = new WireDecoder(budget);
    this.#bodyLimit = bodyLimit;
  }

  get received(): number {
    const { offset, bytes } = this.#decoder.unread;
    return offset + bytes;
  }

  get passed(): number {
    return this.#decoder.unread.offset;
  }

  get isOver(): boolean {
    return this.#decoder.isOver;
  }

  *push(chunk: Buffer): Generator<CapturedFlow> {
    for (const flow of this.#decoder.push(chunk)) yield new MadeFlow(this.#cut(flow));
  }

  *end(): Generator<CapturedFlow> {
    for (const flow of this.#decoder.end()) yield new MadeFlow(this.#cut(flow));
  }

  #cut(flow: Flow): Flow {
    const isCut = this.#bodyLimit !== undefined && cutBodies(flow.state, this.#bodyLimit);
    return isCut ? toFlow(flow.state) : flow;
  }

  listOmissions(): string[] {
    return describeOmissions(this.#decoder.omissions);
  }
}

class MadeFlow implements CapturedFlow {
  readonly flow: Flow;

  constructor(flow: Flow) {
    this.flow = flow;
  }

  get bytes(): Buffer {
    return encode(this.flow.state);
  }
}

import { type Flow, toFlow } from '../flow/flow.ts';
import type { Dict } from '../flow/tnetstring.ts';
import { encode } from '../flow/tnetstring-encode.ts';
import { paths } from '../plan/pod-contract.ts';
import { WireDecoder } from '../wire/decoder.ts';
import { describeOmissions } from '../wire/read.ts';
import { cutBodies } from './body-limit.ts';
import type { CapturedFlow, PodFile, Reading } from './pod-file.ts';

/** What the door in a pod writes: every byte that passed. Each flow is given once, when it has ended. */
export class WirePodFile implements PodFile {
  readonly path = paths.wire;
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
    for (const state of this.#decoder.push(chunk)) yield this.#capture(state);
  }

  *end(): Generator<CapturedFlow> {
    for (const state of this.#decoder.end()) yield this.#capture(state);
  }

  #capture(state: Dict): CapturedFlow {
    if (this.#bodyLimit !== undefined) cutBodies(state, this.#bodyLimit);
    return new MadeFlow(state);
  }

  listOmissions(): string[] {
    return describeOmissions(this.#decoder.omissions);
  }
}

class MadeFlow implements CapturedFlow {
  readonly #state: Dict;

  constructor(state: Dict) {
    this.#state = state;
  }

  get bytes(): Buffer {
    return encode(this.#state);
  }

  get flow(): Flow {
    return toFlow(this.#state);
  }
}

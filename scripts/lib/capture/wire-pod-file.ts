import type { Flow } from '../flow/flow.ts';
import { encode } from '../flow/tnetstring-encode.ts';
import { paths } from '../plan/pod-contract.ts';
import { WireDecoder } from '../wire/decoder.ts';
import { describeOmissions } from '../wire/read.ts';
import { cutBodies } from './body-limit.ts';
import type { PodFile, Reading } from './pod-file.ts';

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

  *push(chunk: Buffer): Generator<Buffer> {
    for (const flow of this.#decoder.push(chunk)) yield this.#encode(flow);
  }

  *end(): Generator<Buffer> {
    for (const flow of this.#decoder.end()) yield this.#encode(flow);
  }

  #encode({ state }: Flow): Buffer {
    if (this.#bodyLimit !== undefined) cutBodies(state, this.#bodyLimit);
    return encode(state);
  }

  listOmissions(): string[] {
    return describeOmissions(this.#decoder.omissions);
  }
}

import type { Account } from './budget.ts';
import { Bytes } from './bytes.ts';

/** What is kept of a body or of a WebSocket message: as much as a tap shows (stream_large_bodies=5m). */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** The bytes of a body, of which the first are kept. */
export class Body {
  readonly #account: Account;
  readonly #bytes: Bytes;

  /** How many bytes it has, kept or not. */
  total = 0;

  constructor(account: Account) {
    this.#account = account;
    this.#bytes = new Bytes(account);
  }

  /** How many bytes of memory it takes. */
  get cost(): number {
    return this.#bytes.cost;
  }

  get isCut(): boolean {
    return this.total > this.#bytes.length;
  }

  add(piece: Buffer): void {
    const isWhole = !this.isCut;
    this.total += piece.length;
    if (!isWhole || piece.length === 0) return;
    const room = MAX_BODY_BYTES - this.#bytes.length;
    const kept = piece.length <= room ? piece : piece.subarray(0, room);
    if (kept.length > 0 && this.#account.hasRoom(kept.length)) this.#bytes.add(kept);
  }

  /** What is kept. */
  view(): Buffer {
    return this.#bytes.view();
  }

  clear(): void {
    this.#bytes.clear();
    this.total = 0;
  }
}

/**
 * What a flow's comment says when parts of it are not kept: the same that the addon says.
 * @returns undefined when everything is kept.
 */
export function describeCut(bodies: Body[]): string | undefined {
  const cut = bodies.filter(({ isCut }) => isCut).sort((a, b) => b.total - a.total);
  const [longest] = cut;
  return longest && `mittens: cut to ${longest.view().length} bytes, the longest from ${longest.total}`;
}

/** Each bucket ends this much above where it begins, so a quantile is right to within 1%. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);

/** How numbers above zero are distributed, in memory that does not grow with how many they are. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #count = 0;
  max = 0;

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    const bucket = value > 0 ? Math.floor(Math.log(value) / LOG_GROWTH) : -Infinity;
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#count++;
    if (value > this.max) this.max = value;
  }

  /**
   * The value that a part of them, 0 to 1, is not above, by nearest rank; to within 1%.
   * @returns undefined when there are none.
   */
  quantile(part: number): number | undefined {
    let before = 0;
    for (const bucket of [...this.#counts.keys()].sort((a, b) => a - b)) {
      before += this.#counts.get(bucket) ?? 0;
      if (before >= part * this.#count) return Math.min(GROWTH ** (bucket + 0.5), this.max);
    }
    return undefined;
  }
}

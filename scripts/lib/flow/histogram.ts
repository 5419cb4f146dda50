/** The end of each bucket divided by its start. A quantile is accurate to within 1%. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);

/** The distribution of numbers above zero. Its memory does not grow with the count. */
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
   * The quantile by nearest rank, accurate to within 1%.
   * @param part 0 to 1.
   * @returns undefined if there are no values.
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

/**
 * A JSON object that another tool wrote. Tools take liberties with HAR: a number may be a text, and a text a number. A
 * field of an unusable type counts as missing.
 */
export class LooseObject {
  readonly #fields: Map<string, unknown>;

  private constructor(fields: object) {
    this.#fields = new Map(Object.entries(fields));
  }

  /** @returns undefined if the value is not an object. */
  static from(value: unknown): LooseObject | undefined {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? new LooseObject(value) : undefined;
  }

  /** Whether the field is neither missing nor null. */
  has(name: string): boolean {
    return (this.#fields.get(name) ?? undefined) !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#fields.get(name);
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  }

  /** May be infinite (1e999), but never NaN. */
  number(name: string): number | undefined {
    const value = this.#fields.get(name);
    if (typeof value === 'number') return value;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    return Number.isNaN(number) ? undefined : number;
  }

  object(name: string): LooseObject | undefined {
    return LooseObject.from(this.#fields.get(name));
  }

  /** The objects of a list; undefined if there is no list. */
  objects(name: string): LooseObject[] | undefined {
    const value = this.#fields.get(name);
    if (!Array.isArray(value)) return undefined;
    return value.map((item) => LooseObject.from(item)).filter((item) => item !== undefined);
  }

  /** The JSON of a field. */
  json(name: string): string {
    return JSON.stringify(this.#fields.get(name)) ?? '';
  }
}

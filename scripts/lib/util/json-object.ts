/** A JSON field that is missing or of another type; the message names it. */
export class JsonError extends Error {}

/** A JSON object from outside. Its fields are read by name and type; null counts as missing. */
export class JsonObject {
  readonly #fields: Map<string, unknown>;
  readonly #path: string;

  /** @param path of the object, for errors; empty at the top. */
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new JsonError(`${path || 'it'} is not an object`);
    this.#fields = new Map(Object.entries(value));
    this.#path = path;
  }

  #formatPath(name: string): string {
    return this.#path ? `${this.#path}.${name}` : name;
  }

  /** The error for a field that is not `what`. */
  wrong(name: string, what: string): JsonError {
    return new JsonError(`${this.#formatPath(name)} is not ${what}`);
  }

  /** Whether the field is there, and not null. */
  has(name: string): boolean {
    return (this.#fields.get(name) ?? undefined) !== undefined;
  }

  text(name: string): string {
    const text = this.maybeText(name);
    if (text === undefined) throw this.wrong(name, 'a text');
    return text;
  }

  maybeText(name: string): string | undefined {
    const value = this.#fields.get(name) ?? undefined;
    if (value !== undefined && typeof value !== 'string') throw this.wrong(name, 'a text');
    return value;
  }

  /** May be infinite (1e999), but never NaN. */
  maybeNumber(name: string): number | undefined {
    const value = this.#fields.get(name) ?? undefined;
    if (value !== undefined && typeof value !== 'number') throw this.wrong(name, 'a number');
    return value;
  }

  object(name: string): JsonObject {
    return new JsonObject(this.#fields.get(name), this.#formatPath(name));
  }

  maybeObject(name: string): JsonObject | undefined {
    return (this.#fields.get(name) ?? undefined) === undefined ? undefined : this.object(name);
  }

  list(name: string): unknown[] {
    const value = this.#fields.get(name);
    if (!Array.isArray(value)) throw this.wrong(name, 'a list');
    return value;
  }

  maybeObjects(name: string): JsonObject[] | undefined {
    if ((this.#fields.get(name) ?? undefined) === undefined) return undefined;
    return this.list(name).map((item, index) => new JsonObject(item, `${this.#formatPath(name)}[${index}]`));
  }
}

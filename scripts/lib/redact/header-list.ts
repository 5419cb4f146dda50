import type { Dict, Value } from '../flow/tnetstring.ts';

/** The headers in a message's state. They are changed in place. Names are in lower case. */
export class HeaderList {
  readonly #message: Dict;

  constructor(message: Dict) {
    this.#message = message;
  }

  #all(name: string): [Buffer, Buffer][] {
    const headers = this.#message.get('headers') as [Buffer, Buffer][];
    return headers.filter(([key]) => key.toString('latin1').toLowerCase() === name);
  }

  /** All values of a header, joined by `, `; empty if there is none. */
  get(name: string): string {
    return this.#all(name)
      .map(([, value]) => value.toString('latin1'))
      .join(', ');
  }

  /** Changes each value of a header. */
  set(name: string, change: (value: string) => string): void {
    for (const header of this.#all(name))
      header[1] = Buffer.from(change(header[1].toString('latin1').trim()), 'latin1');
  }

  remove(name: string): void {
    const gone = new Set<Value>(this.#all(name));
    const headers = this.#message.get('headers') as Value[];
    this.#message.set(
      'headers',
      headers.filter((header) => !gone.has(header)),
    );
  }
}

import { readFileSync } from 'node:fs';

/** What a client saw: what it was told, in order, and when, in ms since it began. */
export interface Outcome {
  messages: string[];
  at: number[];
  [more: string]: unknown;
}

/** Notes what comes, and lets one wait for it. */
export class Heard {
  readonly messages: string[] = [];
  readonly at: number[] = [];
  private readonly began = Date.now();
  private waiting: (() => void)[] = [];

  add(message: string): void {
    this.messages.push(message);
    this.at.push(Date.now() - this.began);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Waits until so many have come. @throws Error when the next takes too long. */
  async count(count: number): Promise<void> {
    while (this.messages.length < count)
      await patiently(
        new Promise<void>((resolve) => this.waiting.push(resolve)),
        `message ${this.messages.length + 1} of ${count} did not come`,
      );
  }
}

const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 20_000);

/** Waits for what must come without more being said. @throws Error when it takes too long. */
export async function patiently<T>(promise: Promise<T>, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The authority by which TLS_CA, a file, says that servers are to be judged; and a certificate to show them. */
export function tlsOfClient(): { ca?: Buffer; key?: Buffer; cert?: Buffer } {
  const { TLS_CA, TLS_KEY, TLS_CERT } = process.env;
  return {
    ...(TLS_CA && { ca: readFileSync(TLS_CA) }),
    ...(TLS_KEY && TLS_CERT && { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERT) }),
  };
}

/**
 * Asks as the command line says, `ask-x.js URL MODE`, and prints what came of it as one line of JSON; the exit status
 * is 1 when it failed.
 */
export async function main(ask: (url: URL, mode: string) => Promise<Outcome>): Promise<void> {
  const [url = '', mode = ''] = process.argv.slice(2);
  let line: object;
  try {
    line = { ok: true, mode, ...(await ask(new URL(url), mode)) };
  } catch (error) {
    line = { ok: false, mode, error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit('error' in line ? 1 : 0));
}

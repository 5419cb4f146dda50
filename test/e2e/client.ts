import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a request was answered. */
export interface Answer {
  /** 0 when there was none. */
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A request, which goes to the host shop.example. */
export interface Question {
  url: string;
  /** With one it is a POST. */
  body?: string | undefined;
}

/**
 * The pod `client`, which sends requests from inside the cluster. One kubectl exec takes all of them: a start of kubectl
 * and of node for each would cost more than anything else that the tests do.
 */
export class Client {
  readonly #namespace: string;
  readonly #pending = new Map<number, (line: string | Error) => void>();
  #process: ChildProcess | undefined;
  #asked = 0;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Sends a request over a connection of its own, and returns its answer. */
  async ask(question: Question): Promise<Answer> {
    const id = ++this.#asked;
    const child = this.#start();
    const answer = new Promise<string>((resolve, reject) => {
      this.#pending.set(id, (line) => (line instanceof Error ? reject(line) : resolve(line)));
    });
    child.stdin?.write(`${JSON.stringify({ id, ...question })}\n`);
    return JSON.parse(await answer) as Answer;
  }

  close(): void {
    this.#process?.kill();
  }

  /** The process that is there, or a new one. */
  #start(): ChildProcess {
    if (this.#process) return this.#process;
    const command = ['exec', '-i', 'client', '--', 'node', '/code/ask.mjs'];
    const child = spawn('kubectl', ['-n', this.#namespace, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    createInterface(child.stdout).on('line', (line) => this.#settle(line));
    child.stdin.on('error', () => undefined);
    child.once('close', () => {
      this.#process = undefined;
      for (const settle of this.#pending.values()) settle(new Error(`the client pod is gone: ${stderr}`));
      this.#pending.clear();
    });
    this.#process = child;
    return child;
  }

  #settle(line: string): void {
    const { id } = JSON.parse(line) as { id: number };
    this.#pending.get(id)?.(line);
    this.#pending.delete(id);
  }
}

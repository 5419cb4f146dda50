import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../peers/tap.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
const POLL_MS = 20;

/** A door on this machine, in front of an app's ports, that writes a wire file. */
export class Door {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mittens-door-'));
  #process: ChildProcess | undefined;

  /** Waits until it is open. @returns its ports, in the order of the app's. */
  async open(app: number[]): Promise<number[]> {
    const listens = await freePorts(app.length);
    const ports = app.map((port, index) => `--port=${listens[index]}=${port}`);
    const ready = join(this.#folder, 'ready');
    const files = [`--wire=${join(this.#folder, 'wire')}`, `--ready=${ready}`];
    const door = spawn('python3', ['-m', 'door', ...ports, ...files], { cwd: TEMPLATES, stdio: 'inherit' });
    this.#process = door;
    while (!existsSync(ready)) {
      if (door.exitCode !== null) throw new Error(`the door has ended with ${door.exitCode}`);
      await sleep(POLL_MS);
    }
    return listens;
  }

  /** Lets it leave. @returns its whole wire file. */
  async leave(): Promise<Buffer> {
    if (this.#process?.kill('SIGTERM')) await once(this.#process, 'exit');
    return readFileSync(join(this.#folder, 'wire'));
  }

  close(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }
}

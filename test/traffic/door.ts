import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { paths } from '../../scripts/lib/plan/pod-contract.ts';
import { freePorts, placeIn } from '../peers/tap.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
const POLL_MS = 20;

/** A door on this machine, in front of an app's ports, that writes a wire file. */
export class Door {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mittens-door-'));
  #process: ChildProcess | undefined;

  /** Waits until it is open. @returns its ports, in the order of the app's. */
  async open(app: number[]): Promise<number[]> {
    const listens = await freePorts(app.length);
    const ports = app.map((port, index) => `${listens[index]}=auto:${port}`).join();
    const ready = placeIn(this.#folder, paths.ready);
    this.#unpack();
    const args = ['-m', 'door', `--ports=${ports}`, `--wire=${join(this.#folder, 'wire')}`];
    const door = spawn('python3', args, { cwd: this.#folder, stdio: 'inherit' });
    this.#process = door;
    while (!existsSync(ready)) {
      if (door.exitCode !== null) throw new Error(`the door has ended with ${door.exitCode}`);
      await sleep(POLL_MS);
    }
    return listens;
  }

  /** Lets it leave. @returns its whole wire file. */
  async leave(): Promise<Buffer> {
    if (this.#process?.kill('SIGUSR1')) await once(this.#process, 'exit');
    return readFileSync(join(this.#folder, 'wire'));
  }

  /** Puts the packages into the folder, and the paths that they use. */
  #unpack(): void {
    for (const name of ['addon', 'door'])
      cpSync(join(TEMPLATES, name), join(this.#folder, name), { recursive: true });
    const file = join(this.#folder, 'addon', 'contract.json');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"/tmp/', `"${this.#folder}/`));
  }

  close(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }
}

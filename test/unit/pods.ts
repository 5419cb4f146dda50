import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kubectl } from '../../scripts/lib/kube/kubectl.ts';
import type { Pod } from '../../scripts/lib/kube/objects.ts';
import { paths } from '../../scripts/lib/plan/pod-contract.ts';
import { placeIn } from '../peers/tap.ts';
import { pod } from './objects.ts';

/**
 * What stands for kubectl: `exec` runs the command on this machine, where a folder is the pod's /tmp. As with the real
 * one, the command sees the end of its stdin when the connection is lost. `get` prints the pods of a file.
 */
const KUBECTL = `#!${process.execPath}
const { spawn } = require('node:child_process');
const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
const name = args.find((arg) => arg.startsWith('pod/'))?.slice(4);
if (args.includes('exec')) {
  const place = __dirname + '/pods/' + name + '/';
  const connection = place + 'connection';
  if (args.includes('-i')) {
    writeFileSync(connection, String(process.pid));
    process.on('exit', () => rmSync(connection, { force: true }));
    process.on('SIGTERM', () => process.exit());
  }
  const [program, ...rest] = args.slice(args.indexOf('--') + 1);
  const child = spawn(program, rest.map((arg) => arg.replaceAll('/tmp/', place)), { stdio: ['pipe', 'pipe', 'inherit'] });
  process.stdin.pipe(child.stdin);
  child.stdout.pipe(process.stdout);
  child.on('close', (code) => process.exit(code));
} else {
  const items = JSON.parse(readFileSync(__dirname + '/pods.json', 'utf8'));
  const found = name ? items.find(({ metadata }) => metadata.name === name) : { items };
  if (found) console.log(JSON.stringify(found));
  else console.error('Error from server (NotFound): pods "' + name + '" not found');
  process.exitCode = found ? 0 : 1;
}
`;

/** Pods of which only the files are real, and the only kubectl of this process, which knows no others. */
export class Pods {
  readonly kubectl = new Kubectl({});
  readonly #folder = mkdtempSync(join(tmpdir(), 'mittens-pods-'));
  readonly #pods = new Map<string, Pod>();

  constructor() {
    writeFileSync(join(this.#folder, 'kubectl'), KUBECTL, { mode: 0o755 });
    process.env.PATH = `${this.#folder}:${process.env.PATH}`;
    this.#save();
  }

  /** A container of a pod begins to run, with an empty disk; one that runs dies. */
  run(name: string, restartCount = 0): void {
    this.loseConnection(name);
    rmSync(this.#place(name), { recursive: true, force: true });
    mkdirSync(this.#place(name), { recursive: true });
    const status = { name: 'mittens-web', ready: true, restartCount, image: '', state: { running: {} } };
    const { metadata, ...rest } = pod({ containerStatuses: [status] });
    this.#pods.set(name, { metadata: { ...metadata, name, uid: `uid-${name}` }, ...rest });
    this.#save();
  }

  delete(name: string): void {
    this.#pods.delete(name);
    this.#save();
  }

  #save(): void {
    writeFileSync(join(this.#folder, 'pods.json'), JSON.stringify([...this.#pods.values()]));
  }

  #place(name: string): string {
    return join(this.#folder, 'pods', name);
  }

  /** @param path in the pod. */
  append(name: string, path: string, bytes: Buffer): void {
    appendFileSync(placeIn(this.#place(name), path), bytes);
  }

  /** What the followers of a pod say that they have read; undefined while there are none. */
  readFollowers(name: string): string[] | undefined {
    const folder = placeIn(this.#place(name), paths.followers);
    if (!existsSync(folder)) return undefined;
    return readdirSync(folder).map((follower) => readFileSync(join(folder, follower), 'utf8').trim());
  }

  /** Breaks the connection with a pod, if there is one. */
  loseConnection(name: string): void {
    const connection = join(this.#place(name), 'connection');
    if (!existsSync(connection)) return;
    const pid = Number(readFileSync(connection, 'utf8'));
    rmSync(connection);
    process.kill(pid, 'SIGKILL');
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

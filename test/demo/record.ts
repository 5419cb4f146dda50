// Records docs/tap.svg: a real tap in a real terminal, on the pocket cluster, as an animation that needs no script.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run } from '../../scripts/lib/cli/run.ts';
import { Kubectl } from '../../scripts/lib/kube/kubectl.ts';
import { listenForInterrupts } from '../../scripts/lib/util/interrupt.ts';
import { startCluster } from '../cluster/src/cluster.ts';
import { POCKET, setUp } from '../setup.ts';
import { type Frame, render } from './screen.ts';
import { openShop } from './stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SIZE = { columns: 112, rows: 24 };
/** How often the screen is looked at, in ms. */
const INTERVAL = 100;

await run(async () => {
  const { signal } = listenForInterrupts();
  Object.assign(process.env, await setUp({ ...POCKET, programs: [...POCKET.programs, 'tmux'] }, signal));
  const cluster = await startCluster();
  try {
    process.env.KUBECONFIG = cluster.kubeconfig;
    await openShop({ kubectl: new Kubectl({ namespace: 'shop' }) }, signal);
    writeFileSync(`${ROOT}docs/tap.svg`, render(await record(), SIZE));
  } finally {
    await tmux('kill-server').catch(() => undefined);
    await cluster.stop();
  }
});

/** Plays the part of the user, and returns what they saw. */
async function record(): Promise<Frame[]> {
  const shell = ['env', '-u', 'TMUX', 'PS1=$ ', 'npm_config_loglevel=error', 'sh', '-i'];
  const size = ['-x', String(SIZE.columns), '-y', String(SIZE.rows)];
  await tmux('new-session', '-d', '-s', 'user', ...size, '-c', ROOT, '--', ...shell);
  await tmux('set-option', '-g', 'status', 'off');
  await sleep(500);
  const frames: Frame[] = [];
  const watching = new AbortController();
  const watched = watch(frames, watching.signal);
  await type('npx tsx scripts/on.ts orders -n shop');
  await shows('Flows');
  await shows('POST', 3000);
  await keys(['g'], ['Down'], ['Down'], ['Enter']);
  await sleep(2500);
  await keys(['q'], ['q'], ['y']);
  await shows('service/orders is restored', 1500);
  watching.abort();
  await watched;
  return frames;
}

async function watch(frames: Frame[], signal: AbortSignal): Promise<void> {
  const started = Date.now();
  while (!signal.aborted) {
    const [screen, cursor] = await Promise.all([
      tmux('capture-pane', '-e', '-p', '-t', 'user'),
      tmux('display-message', '-p', '-t', 'user', '#{cursor_flag} #{cursor_x} #{cursor_y}'),
    ]);
    const [visible, x, y] = cursor.trim().split(' ').map(Number);
    frames.push({ ms: Date.now() - started, screen, ...(visible && { cursor: { x: x ?? 0, y: y ?? 0 } }) });
    await sleep(INTERVAL);
  }
}

async function type(text: string): Promise<void> {
  for (const letter of text) {
    await tmux('send-keys', '-t', 'user', '-l', letter);
    await sleep(40);
  }
  await tmux('send-keys', '-t', 'user', 'Enter');
}

/** Presses keys with time to look at what each does. */
async function keys(...presses: string[][]): Promise<void> {
  for (const press of presses) {
    await tmux('send-keys', '-t', 'user', ...press);
    await sleep(900);
  }
}

/** Waits until the screen shows something, and a little longer. */
async function shows(text: string, ms = 0): Promise<void> {
  for (let tries = 0; !(await tmux('capture-pane', '-p', '-t', 'user')).includes(text); tries++) {
    if (tries > 600) throw new Error(`the terminal does not show ${text}`);
    await sleep(100);
  }
  await sleep(ms);
}

async function tmux(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('tmux', ['-L', 'mittens-record', '-f', '/dev/null', ...args]);
  return stdout;
}

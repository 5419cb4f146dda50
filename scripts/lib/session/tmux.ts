import { type ChildProcess, spawn } from 'node:child_process';
import { captured$ } from '../util/child.ts';
import { UserError } from '../util/error.ts';

/** One pane of a session: mittens has one a window. */
export interface Pane {
  window: string;
  name: string;
  dead: boolean;
  /** What the program in it set as the terminal's title. */
  title: string;
}

// A server of our own, without the user's tmux.conf: plugins that save and restore sessions would bring a
// tap's windows back after its end, and the keys that we tell the user must be the keys that work.
const SERVER = ['-L', 'mittens', '-f', '/dev/null'];

async function tmux(args: string[]): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await captured$`tmux ${[...SERVER, ...args]}`;
  return { ok: exitCode === 0, stdout, stderr };
}

/** Whether tmux is on the PATH. */
export async function hasTmux(): Promise<boolean> {
  return (await captured$`tmux -V`).exitCode === 0;
}

/** Whether the user's terminal is inside a tmux already, where the prefix key must be typed twice to reach ours. */
export function isNested(): boolean {
  return Boolean(process.env.TMUX);
}

export async function hasSession(session: string): Promise<boolean> {
  return (await tmux(['has-session', '-t', `=${session}`])).ok;
}

/** Makes a session with one window; the command is executed as it stands, by no shell. */
export async function newSession(
  session: string,
  window: string,
  command: string[],
  label: string,
): Promise<void> {
  const set = (...args: string[]) => ['set-option', ...args, ';'];
  const { ok, stderr } = await tmux([
    ...['start-server', ';'],
    // Esc alone is a key of mitmproxy's: tmux must not wait for more to come.
    ...set('-s', 'escape-time', '25'),
    ...set('-g', 'remain-on-exit', 'on'),
    ...set('-g', 'automatic-rename', 'off'),
    // Who started the server, perhaps for another cluster, had another KUBECONFIG.
    ...set('-g', 'update-environment', environment().join(' ')),
    ...set('-g', 'mouse', 'on'),
    ...set('-g', 'status-left-length', '100'),
    ...set('-g', 'status-right-length', '50'),
    ...set('-g', 'status-right', ''),
    ...['new-session', '-d', ...size(), '-s', session, '-n', window, '--', ...command.map(argument), ';'],
    ...labelling(session, label),
  ]);
  if (!ok && !(await hasSession(session)))
    throw new UserError(`tmux: ${stderr.trim()}`, { hint: 'try --no-tmux' });
}

/** What the status line of a session says, on its left. */
export async function setLabel(session: string, label: string): Promise<void> {
  await tmux(labelling(session, label));
}

/** What the status line of a session says of its keys, on its right. */
export async function setKeys(session: string, keys: string): Promise<void> {
  await tmux(['set-option', '-t', `=${session}:`, 'status-right', ` ${keys} `]);
}

/** A `#` would begin a format, which can run commands. */
function labelling(session: string, label: string): string[] {
  return ['set-option', '-t', `=${session}:`, 'status-left', ` ${label.replaceAll('#', '##')}  `];
}

/** The names of what kubectl, and what it asks for credentials, may read of our environment. */
function environment(): string[] {
  return Object.keys(process.env).filter((name) => /^\w+$/.test(name) && !name.startsWith('TMUX'));
}

/** Of this terminal, less the status line: kubectl may miss a change of size in its first moments. */
function size(): string[] {
  const { columns, rows } = process.stdout;
  return columns && rows ? ['-x', String(columns), '-y', String(Math.max(rows - 1, 1))] : [];
}

export async function newWindow(session: string, window: string, command: string[]): Promise<void> {
  await tmux(['new-window', '-d', '-t', `=${session}:`, '-n', window, '--', ...command.map(argument)]);
}

export async function respawn(window: string, command: string[]): Promise<void> {
  await tmux(['respawn-pane', '-k', '-t', window, '--', ...command.map(argument)]);
}

export async function killWindow(window: string): Promise<void> {
  await tmux(['kill-window', '-t', window]);
}

export async function killSession(session: string): Promise<void> {
  await tmux(['kill-session', '-t', `=${session}`]);
}

/** The panes of a session; undefined when it is gone. */
export async function listPanes(session: string): Promise<Pane[] | undefined> {
  const format = '#{window_id} #{window_name} #{pane_dead} #{pane_title}';
  const { ok, stdout } = await tmux(['list-panes', '-s', '-t', `=${session}`, '-F', format]);
  if (!ok) return undefined;
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [window = '', name = '', dead, ...title] = line.split(' ');
      return { window, name, dead: dead === '1', title: title.join(' ') };
    });
}

/** Shows a session on the user's terminal. */
export function attachSession(session: string): ChildProcess {
  const { TMUX: _, ...env } = process.env;
  return spawn('tmux', [...SERVER, 'attach-session', '-t', `=${session}`], { stdio: 'inherit', env });
}

/** An argument that ends in a semicolon would end tmux's command. */
function argument(text: string): string {
  return text.endsWith(';') ? `${text.slice(0, -1)}\\;` : text;
}

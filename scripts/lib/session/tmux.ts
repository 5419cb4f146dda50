import { type ChildProcess, spawn } from 'node:child_process';
import { captured$ } from '../util/child.ts';
import { UserError } from '../util/error.ts';

/** A pane of a session. Each window has one. */
export interface Pane {
  window: string;
  name: string;
  dead: boolean;
  /** The title that the program in the pane set. */
  title: string;
}

// Our own server, without the user's tmux.conf: a plugin that restores sessions would open the windows of taps that
// are over, and the keys that we name must work.
const SERVER = ['-L', 'mittens', '-f', '/dev/null'];

async function tmux(args: string[]): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await captured$`tmux ${[...SERVER, ...args]}`;
  return { ok: exitCode === 0, stdout, stderr };
}

/** Whether tmux is on the PATH. */
export async function hasTmux(): Promise<boolean> {
  return (await captured$`tmux -V`).exitCode === 0;
}

/** Whether the terminal already is inside tmux. Then the prefix key must be typed twice to reach our session. */
export function isNested(): boolean {
  return Boolean(process.env.TMUX);
}

export async function hasSession(session: string): Promise<boolean> {
  return (await tmux(['has-session', '-t', `=${session}`])).ok;
}

/** Creates a session with one window. No shell interprets the command. */
export async function newSession(
  session: string,
  window: string,
  command: string[],
  label: string,
): Promise<void> {
  const set = (...args: string[]) => ['set-option', ...args, ';'];
  const { ok, stderr } = await tmux([
    ...['start-server', ';'],
    // Esc alone is a key of mitmproxy: tmux must not wait for more.
    ...set('-s', 'escape-time', '25'),
    ...set('-g', 'remain-on-exit', 'on'),
    ...set('-g', 'automatic-rename', 'off'),
    // The process that started the server may have had another KUBECONFIG.
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

/** Sets the left part of a session's status line. */
export async function setLabel(session: string, label: string): Promise<void> {
  await tmux(labelling(session, label));
}

/** Sets the right part of a session's status line: its keys. */
export async function setKeys(session: string, keys: string): Promise<void> {
  await tmux(['set-option', '-t', `=${session}:`, 'status-right', ` ${keys} `]);
}

/** Escapes `#`, which begins a format: formats can run commands. */
function labelling(session: string, label: string): string[] {
  return ['set-option', '-t', `=${session}:`, 'status-left', ` ${label.replaceAll('#', '##')}  `];
}

/** The names of our environment variables: kubectl and credential plugins may read any of them. */
function environment(): string[] {
  return Object.keys(process.env).filter((name) => /^\w+$/.test(name) && !name.startsWith('TMUX'));
}

/** The size of this terminal without the status line. kubectl may miss a resize just after its start. */
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

/** Escapes a semicolon at the end of an argument, which ends a command of tmux. */
function argument(text: string): string {
  return text.endsWith(';') ? `${text.slice(0, -1)}\\;` : text;
}

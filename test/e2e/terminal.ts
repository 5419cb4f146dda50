import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { checkHints } from '../hints.ts';
import { execute, type Result } from './namespace.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type Command = 'on' | 'off' | 'list' | 'attach' | 'capture' | 'gc' | 'watch';

/** The command line of one of the scripts, started as the Makefile does. */
export function commandLine(command: Command, args: string[]): string[] {
  return [process.execPath, '--import', 'tsx', `${ROOT}scripts/${command}.ts`, ...args];
}

/** Runs a script to its end, without a terminal. What it tells its user to run is parsed. */
export async function mittens(command: Command, ...args: string[]): Promise<Result> {
  const [node = '', ...rest] = commandLine(command, args);
  const result = await execute(node, rest);
  checkHints(result.stderr);
  return result;
}

/** A user's terminal: a tmux of the test's own, in which a command runs, is typed at and looked at. */
export class Terminal {
  readonly #socket = `mittens-test-${randomBytes(4).toString('hex')}`;

  /** Starts a command; when it ends the screen says `exit code N`. */
  async start(command: string[], env: Record<string, string> = {}): Promise<void> {
    const exports = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const script = 'cd "$0" && "$@"; echo "exit code $?"; sleep 600';
    await this.#tmux(
      ...['new-session', '-d', '-s', 'user', '-x', '160', '-y', '40', '--'],
      ...['env', '-u', 'TMUX', ...exports, 'sh', '-c', script, ROOT, ...command],
    );
    await this.#tmux('set-option', '-g', 'history-limit', '5000');
  }

  async type(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', '-t', 'user', ...keys);
  }

  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-t', 'user')).stdout;
  }

  /** Waits until the screen shows something, and returns the screen. */
  async shows(what: string | RegExp, seconds = 60): Promise<string> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const screen = await this.screen();
      if (typeof what === 'string' ? screen.includes(what) : what.test(screen)) return screen;
      assert.ok(Date.now() < deadline, `the terminal does not show ${what} in ${seconds} s:\n${screen}`);
      await sleep(200);
    }
  }

  /** The process that the terminal runs: the shell's child. */
  async pid(): Promise<number> {
    const shell = (await this.#tmux('list-panes', '-t', 'user', '-F', '#{pane_pid}')).stdout.trim();
    const { stdout } = await execute('pgrep', ['-P', shell]);
    return Number(stdout.trim().split('\n')[0]);
  }

  /** Closes the window, as a user does: the command gets a SIGHUP. */
  async close(): Promise<void> {
    // Its lines as they were before the terminal broke them.
    checkHints((await this.#tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'user')).stdout);
    await this.#tmux('kill-server');
  }

  async #tmux(...args: string[]): Promise<Result> {
    return await execute('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args]);
  }
}

/**
 * What a user sees who attaches to a tap: a screen of mitmproxy that shows what is waited for. The request
 * is sent until it does: kube-proxy takes a moment to follow a Service, and only one pod is shown.
 */
export async function look(
  service: string,
  namespace: string,
  what: string | RegExp,
  request: () => Promise<unknown>,
): Promise<string> {
  const terminal = new Terminal();
  try {
    await terminal.start(commandLine('attach', [service, '-n', namespace]));
    await terminal.shows('Flows');
    for (let sent = 0; sent < 30; sent++) {
      await request();
      await sleep(300);
      const screen = await terminal.screen();
      if (typeof what === 'string' ? screen.includes(what) : what.test(screen)) return screen;
    }
    return await terminal.shows(what, 0);
  } finally {
    await terminal.close();
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

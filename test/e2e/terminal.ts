import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { execute, type Result } from '../execute.ts';
import { checkHints } from '../hints.ts';
import { commandLine } from '../scripts.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

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
  async shows(what: string | RegExp, seconds?: number): Promise<string> {
    const isIt = (screen: string) => (typeof what === 'string' ? screen.includes(what) : what.test(screen));
    return await this.#until(what, isIt, seconds);
  }

  /** Waits until mitmproxy's status line shows something, wherever it is wrapped. */
  async showsStatus(what: string): Promise<void> {
    await this.#until(what, (screen) => readStatusLine(screen).includes(what.replaceAll(' ', '')));
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

  /** Waits for a screen, and shows the last one if it does not come. */
  async #until(what: string | RegExp, isIt: (screen: string) => boolean, seconds?: number): Promise<string> {
    let screen = '';
    const look = async () => {
      screen = await this.screen();
      return isIt(screen) && screen;
    };
    return await until(`the terminal shows ${what}`, look, seconds).catch((error: Error) => {
      throw new Error(`${error.message}:\n${screen}`);
    });
  }

  async #tmux(...args: string[]): Promise<Result> {
    return await execute('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args]);
  }
}

/**
 * mitmproxy's status line on a screen, without its spaces. mitmproxy wraps it within the left half of the screen, also
 * inside of brackets; the right half of its first row says where it listens.
 */
export function readStatusLine(screen: string): string {
  const [, rows = ''] = /^([ ]*[⇩⇧] .*(?:\n\S.*)*)$/m.exec(screen) ?? [];
  return rows.replace(/ {2,}\[[^[\]\n]*\]$/m, '').replace(/\s/g, '');
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
    return await until(`the terminal shows ${what}`, async () => {
      await request();
      const screen = await terminal.screen();
      return (typeof what === 'string' ? screen.includes(what) : what.test(screen)) && screen;
    });
  } finally {
    await terminal.close();
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

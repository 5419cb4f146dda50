#!/usr/bin/env -S node --import tsx
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/lib/cli/run.ts';
import { UserError } from '../scripts/lib/util/error.ts';
import { listenForInterrupts } from '../scripts/lib/util/interrupt.ts';
import { provideBrowser } from './setup/browser.ts';
import { provideKubectl } from './setup/kubectl.ts';
import { provideMitmproxy } from './setup/mitmproxy.ts';
import { installPackages } from './setup/packages.ts';
import { findProgram, searchPath } from './setup/program.ts';

/** Programs of the distribution, and the package of each. */
const PACKAGES: Record<string, string> = {
  tmux: 'tmux',
  ip: 'iproute2',
  mount: 'mount',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  script: 'bsdutils',
  pgrep: 'procps',
  ps: 'procps',
  openssl: 'openssl',
  curl: 'curl',
};

/** What a set-up installs. */
export interface Needs {
  /** The oldest version of kubectl that will do. */
  kubectl: string;
  mitmproxy: boolean;
  /** Of PACKAGES. */
  programs: string[];
  browser?: boolean;
}

/** What the pocket cluster needs. An older kubectl reads the whole OpenAPI schema before a dry run. */
export const POCKET: Needs = {
  kubectl: '1.27',
  mitmproxy: true,
  programs: ['ip', 'mount', 'nsenter', 'script', 'unshare'],
};

/** What the tests need. */
export const TESTS: Needs = { ...POCKET, programs: Object.keys(PACKAGES), browser: true };

/**
 * Finds what is needed, or installs it without questions, into a folder of the project or from the distribution's
 * packages. Silent and quick if everything is there.
 * @returns the environment to use: with PATH, MITTENS_MITMPROXY for the pocket cluster, and CHROME if there is a browser.
 * @throws UserError in one line, with what to do, if something cannot be installed.
 */
export async function setUp(needs: Needs, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  await providePrograms(needs.programs, signal);
  await provideKubectl(needs.kubectl, signal);
  const { MITMPROXY, MITTENS_MITMPROXY } = process.env;
  const mitmproxy = needs.mitmproxy && (await provideMitmproxy(MITMPROXY || MITTENS_MITMPROXY, signal));
  const browser = needs.browser && (await provideBrowser(signal));
  return {
    ...process.env,
    PATH: searchPath(),
    ...(mitmproxy && { MITTENS_MITMPROXY: mitmproxy }),
    ...(browser && { CHROME: browser }),
  };
}

async function providePrograms(programs: string[], signal: AbortSignal): Promise<void> {
  const missing = programs.filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => PACKAGES[name] ?? name))];
  const failure = await installPackages(packages, signal);
  if (!failure) return;
  throw new UserError(`not on the PATH: ${missing.join(', ')} (${failure})`, {
    hint: `as root: apt-get install ${packages.join(' ')}, or your distribution's packages of the same programs`,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(async () => {
    const { signal } = listenForInterrupts();
    await setUp(TESTS, signal);
  });
}

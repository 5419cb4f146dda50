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

/** Programs that are used as the distribution has them, and the package that brings each. */
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

/** What somebody needs. */
export interface Needs {
  /** kubectl's version, at least. */
  kubectl: string;
  mitmproxy: boolean;
  /** Of PACKAGES. */
  programs: string[];
  browser?: boolean;
}

/** What the pocket cluster needs; older kubectls ask for the schema of all that there is before a dry run. */
export const POCKET: Needs = {
  kubectl: '1.27',
  mitmproxy: true,
  programs: ['ip', 'mount', 'nsenter', 'script', 'unshare'],
};

/** What the tests need besides. */
export const TESTS: Needs = { ...POCKET, programs: Object.keys(PACKAGES), browser: true };

/**
 * Finds what is needed, or brings it, unattended: into a folder of the project, or by the distribution's packages.
 * Silent and quick when all is there.
 * @returns the environment in which it is found: PATH, for the pocket cluster MITTENS_MITMPROXY, and CHROME if there is a browser.
 * @throws UserError in one line, with what to do, when there is no way.
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
    hint: `as root: apt-get install ${packages.join(' ')}, or what your distribution has for it`,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(async () => {
    const { signal } = listenForInterrupts();
    await setUp(TESTS, signal);
  });
}

import { run } from './child.ts';
import { findProgram } from './program.ts';
import { step } from './progress.ts';

/**
 * Installs packages on Debian or Ubuntu, as root or by a sudo that needs no password.
 * @returns undefined if they are installed, else the reason in a few words.
 */
export async function installPackages(packages: string[], signal: AbortSignal): Promise<string | undefined> {
  if (!findProgram('apt-get')) return 'this machine has no apt-get';
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && !(await run('sudo', ['-n', 'true'], { signal })).ok)
    return 'that needs root, and sudo is missing or needs a password';
  const apt = async (args: string[]) => {
    const options = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
    const [command = '', ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...options];
    return await run(command, [...rest, ...args], { signal });
  };
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  return await step(`installing ${packages.join(', ')} by apt-get`, async () => {
    // The lists of packages may be old, or not there at all, as in a container.
    if ((await apt(install)).ok) return undefined;
    await apt(['update']);
    const { ok, lastWords } = await apt(install);
    return ok ? undefined : lastWords;
  });
}

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../scripts/lib/util/error.ts';
import { download } from './download.ts';
import { installPackages } from './packages.ts';
import { findProgram, isAtLeast, readVersion } from './program.ts';
import { step } from './progress.ts';
import { install, TOOLS } from './tools.ts';

/** Where kubectl is downloaded from, and which one. */
const RELEASE = { server: 'https://dl.k8s.io', version: 'v1.35.4' };
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ppc64: 'ppc64le' };

/**
 * Makes sure that kubectl is on the PATH, of some version or later: the one that is there, else one release of
 * Kubernetes, else the distribution's.
 * @throws UserError when there is no way.
 */
export async function provideKubectl(minimum: string, signal: AbortSignal): Promise<void> {
  if (await hasKubectl(minimum, signal)) return;
  const failures: string[] = [];
  try {
    await step('installing kubectl', async () => await installRelease(signal));
  } catch (error) {
    signal.throwIfAborted();
    failures.push((error as Error).message);
    failures.push((await installPackages(['kubernetes-client'], signal)) ?? 'and its package is too old');
  }
  if (await hasKubectl(minimum, signal)) return;
  throw new UserError(`kubectl ${minimum} or later is not on the PATH (${failures.join('; ')})`, {
    hint: 'https://kubernetes.io/docs/tasks/tools/ says how to install it',
  });
}

async function hasKubectl(minimum: string, signal: AbortSignal): Promise<boolean> {
  const path = findProgram('kubectl');
  const version = path && (await readVersion(path, ['version', '--client'], signal));
  return !!version && isAtLeast(version, minimum);
}

/** Downloads kubectl into the tools' folder. */
async function installRelease(signal: AbortSignal): Promise<void> {
  const arch = ARCHITECTURES[process.arch] ?? process.arch;
  const url = `${RELEASE.server}/release/${RELEASE.version}/bin/linux/${arch}/kubectl`;
  const [program, sum] = await Promise.all([download(url, signal), download(`${url}.sha256`, signal)]);
  const digest = createHash('sha256').update(program).digest('hex');
  if (digest !== String(sum).trim()) throw new Error(`${url} does not match its checksum`);
  await install('bin', async (folder) => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'kubectl'), program);
    chmodSync(join(folder, 'kubectl'), 0o755);
  });
}

/**
 * The folder of a link to kubectl itself, if the one on the PATH is Google Cloud's: that one starts another kubectl, of
 * the server's version, for every call, which takes twice the time. Undefined if it is not.
 */
export function directKubectl(): string | undefined {
  const found = findProgram('kubectl');
  const beside = found && dirname(realpathSync(found));
  const [newest] = (beside ? readdirSync(beside) : [])
    .filter((name) => /^kubectl\.1\.\d+$/.test(name))
    .sort((a, b) => Number(b.split('.')[2]) - Number(a.split('.')[2]));
  if (!beside || !newest) return undefined;
  const folder = join(TOOLS, 'kubectl');
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'kubectl'), { force: true });
  symlinkSync(join(beside, newest), join(folder, 'kubectl'));
  return folder;
}

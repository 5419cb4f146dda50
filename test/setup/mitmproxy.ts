import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../scripts/lib/util/error.ts';
import { run } from './child.ts';
import { download } from './download.ts';
import { installPackages } from './packages.ts';
import { findProgram, isAtLeast, isProgram, readVersion } from './program.ts';
import { step } from './progress.ts';
import { install, TOOLS } from './tools.ts';

const MINIMUM = '11.0';

/** What can be installed, and the oldest Python that it runs on; the newest first. */
const LOCKS = [
  { python: '3.12', file: fileURLToPath(new URL('mitmproxy-12.txt', import.meta.url)) },
  { python: '3.10', file: fileURLToPath(new URL('mitmproxy-11.txt', import.meta.url)) },
];

const PIP = {
  index: 'https://pypi.org/pypi/pip/json',
  version: '25.3',
  sha256: '9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd',
};

/**
 * Finds the folder of mitmproxy and mitmdump, or installs them from PyPI as a lock file says. The one on the PATH is
 * used only if that fails: another version draws another screen, and the tests read screens.
 * @param asked the folder to use instead, or the program in it.
 * @throws UserError if there is none.
 */
export async function provideMitmproxy(asked: string | undefined, signal: AbortSignal): Promise<string> {
  if (asked) return await checkAsked(asked, signal);
  const installed = join(TOOLS, 'mitmproxy/bin');
  if (LOCKS.some(({ file }) => isInstalled(file))) return installed;
  try {
    await step('installing mitmproxy from PyPI', async () => {
      await install('mitmproxy', async (folder) => await installFromPyPI(folder, signal));
    });
    return installed;
  } catch (error) {
    signal.throwIfAborted();
    const onPath = findProgram('mitmproxy');
    if (onPath && (await isUsable(dirname(onPath), signal))) return dirname(onPath);
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `mitmproxy can't be installed, and ${MINIMUM} or later is not on the PATH (${reason})`,
      {
        hint: 'install it (https://mitmproxy.org), then: make demo MITMPROXY=/the/folder/it/is/in',
      },
    );
  }
}

async function checkAsked(asked: string, signal: AbortSignal): Promise<string> {
  const found = statSync(asked, { throwIfNoEntry: false });
  const folder = found?.isFile() ? dirname(asked) : asked;
  if (await isUsable(folder, signal)) return folder;
  throw new UserError(`MITMPROXY=${asked}: there is no mitmproxy ${MINIMUM} or later with its mitmdump`);
}

async function isUsable(folder: string, signal: AbortSignal): Promise<boolean> {
  const [mitmproxy, mitmdump] = [join(folder, 'mitmproxy'), join(folder, 'mitmdump')];
  if (!isProgram(mitmproxy) || !isProgram(mitmdump)) return false;
  const version = await readVersion(mitmdump, ['--version'], signal);
  return !!version && isAtLeast(version, MINIMUM);
}

/** Whether the tools hold exactly what a lock file says: installFromPyPI leaves a copy of it. */
function isInstalled(lock: string): boolean {
  const copy = join(TOOLS, 'mitmproxy/lock.txt');
  return existsSync(copy) && readFileSync(copy, 'utf8') === readFileSync(lock, 'utf8');
}

/** Makes a Python environment with mitmproxy in it. */
async function installFromPyPI(folder: string, signal: AbortSignal): Promise<void> {
  const python = await findPython(signal);
  const lock = await findLock(python, signal);
  const withPip = await hasPip(python, signal);
  await must(python, ['-m', 'venv', ...(withPip ? [] : ['--without-pip']), folder], signal);
  const pip = withPip ? ['-m', 'pip'] : [join(await fetchPip(folder, signal), 'pip')];
  const quietly = ['--quiet', '--no-input', '--disable-pip-version-check'];
  const exactly = ['--no-deps', '--only-binary=:all:', '--requirement', lock];
  await must(join(folder, 'bin/python'), [...pip, 'install', ...quietly, ...exactly], signal);
  writeFileSync(join(folder, 'lock.txt'), readFileSync(lock));
}

/** Finds Python 3, and installs Debian's package for environments if that is possible. */
async function findPython(signal: AbortSignal): Promise<string> {
  const there = findProgram('python3');
  if (there && (await hasPip(there, signal))) return there;
  const failure = await installPackages(['python3-venv'], signal);
  const python = failure || !isProgram('/usr/bin/python3') ? there : '/usr/bin/python3';
  if (!python) throw new Error(`there is no python3; ${failure}`);
  return python;
}

/** The lock file of the newest mitmproxy that a Python can run. */
async function findLock(python: string, signal: AbortSignal): Promise<string> {
  const print = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const version = (await run(python, ['-c', print], { signal })).stdout.trim();
  const lock = LOCKS.find((lock) => isAtLeast(version, lock.python));
  if (lock) return lock.file;
  throw new Error(`${python} is Python ${version}, and mitmproxy ${MINIMUM} needs ${LOCKS.at(-1)?.python}`);
}

/** Whether a Python can install pip into new environments; Debian's needs a package for that. */
async function hasPip(python: string, signal: AbortSignal): Promise<boolean> {
  return (await run(python, ['-c', 'import ensurepip, venv'], { signal })).ok;
}

/** Downloads pip, which runs from its wheel without being installed. */
async function fetchPip(folder: string, signal: AbortSignal): Promise<string> {
  const { releases } = JSON.parse(String(await download(PIP.index, signal))) as {
    releases: Record<string, { filename: string; url: string }[] | undefined>;
  };
  const wheel = releases[PIP.version]?.find(({ filename }) => filename.endsWith('.whl'));
  if (!wheel) throw new Error(`PyPI has no wheel of pip ${PIP.version}`);
  // A mirror may give addresses that are relative to its own.
  const program = await download(new URL(wheel.url, PIP.index).href, signal);
  if (createHash('sha256').update(program).digest('hex') !== PIP.sha256)
    throw new Error(`${wheel.url} does not match its checksum`);
  const file = join(folder, wheel.filename);
  writeFileSync(file, program);
  return file;
}

async function must(command: string, args: string[], signal: AbortSignal): Promise<void> {
  const { ok, lastWords } = await run(command, args, { signal });
  if (!ok) throw new Error(lastWords);
}

import { createHash } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../scripts/lib/util/error.ts';
import { run } from './child.ts';
import { download } from './download.ts';
import { installPackages } from './packages.ts';
import { findProgram, isAtLeast, isProgram, versionOf } from './program.ts';
import { step } from './progress.ts';
import { install, TOOLS } from './tools.ts';

const MINIMUM = '8.1';
const PIP = 'https://pypi.org/pypi/pip/json';

/**
 * The folder in which mitmproxy and mitmdump are: the one that is asked for, else what is there, else the newest of
 * PyPI that this Python can run, else the distribution's.
 * @param asked a folder, or the program itself.
 * @throws UserError when there is no way.
 */
export async function provideMitmproxy(asked: string | undefined, signal: AbortSignal): Promise<string> {
  if (asked) return await judge(asked, signal);
  const there = await findMitmproxy(signal);
  if (there) return there;
  const failures: string[] = [];
  try {
    await step('bringing mitmproxy from PyPI', async () => {
      await install('mitmproxy', async (folder) => await installFromPyPI(folder, signal));
    });
  } catch (error) {
    signal.throwIfAborted();
    failures.push((error as Error).message);
    failures.push((await installPackages(['mitmproxy'], signal)) ?? 'and its package is too old');
  }
  const brought = await findMitmproxy(signal);
  if (brought) return brought;
  throw new UserError(`mitmproxy ${MINIMUM} or later is not on the PATH (${failures.join('; ')})`, {
    hint: 'install it (https://mitmproxy.org), then: make demo MITMPROXY=/the/folder/it/is/in',
  });
}

async function judge(asked: string, signal: AbortSignal): Promise<string> {
  const found = statSync(asked, { throwIfNoEntry: false });
  const folder = found?.isFile() ? dirname(asked) : asked;
  if (await isGood(folder, signal)) return folder;
  throw new UserError(`MITMPROXY=${asked}: there is no mitmproxy ${MINIMUM} or later with its mitmdump`);
}

async function findMitmproxy(signal: AbortSignal): Promise<string | undefined> {
  const onPath = findProgram('mitmproxy');
  const folders = [...(onPath ? [dirname(onPath)] : []), join(TOOLS, 'mitmproxy/bin')];
  for (const folder of folders) if (await isGood(folder, signal)) return folder;
  return undefined;
}

async function isGood(folder: string, signal: AbortSignal): Promise<boolean> {
  const [mitmproxy, mitmdump] = [join(folder, 'mitmproxy'), join(folder, 'mitmdump')];
  if (!isProgram(mitmproxy) || !isProgram(mitmdump)) return false;
  const version = await versionOf(mitmdump, ['--version'], signal);
  return !!version && isAtLeast(version, MINIMUM);
}

/** Makes a Python environment with mitmproxy in it. */
async function installFromPyPI(folder: string, signal: AbortSignal): Promise<void> {
  const python = await findPython(signal);
  const withPip = await hasPip(python, signal);
  await must(python, ['-m', 'venv', ...(withPip ? [] : ['--without-pip']), folder], signal);
  const pip = withPip ? ['-m', 'pip'] : [join(await fetchPip(folder, signal), 'pip')];
  const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--prefer-binary'];
  const own = join(folder, 'bin/python');
  await must(own, [...pip, 'install', ...quietly, `mitmproxy>=${MINIMUM}`], signal);
}

/** Python 3, with Debian's package for environments where it can be had. */
async function findPython(signal: AbortSignal): Promise<string> {
  const there = findProgram('python3');
  if (there && (await hasPip(there, signal))) return there;
  const failure = await installPackages(['python3-venv'], signal);
  const python = failure || !isProgram('/usr/bin/python3') ? there : '/usr/bin/python3';
  if (!python) throw new Error(`there is no python3; ${failure}`);
  return python;
}

/** Whether a Python brings pip along for new environments; Debian's does only by a package. */
async function hasPip(python: string, signal: AbortSignal): Promise<boolean> {
  return (await run(python, ['-c', 'import ensurepip, venv'], { signal })).ok;
}

/** Fetches pip, which runs as it comes, without being installed. */
async function fetchPip(folder: string, signal: AbortSignal): Promise<string> {
  const { urls } = JSON.parse(String(await download(PIP, signal))) as {
    urls: { filename: string; url: string; digests: { sha256: string } }[];
  };
  const wheel = urls.find(({ filename }) => filename.endsWith('.whl'));
  if (!wheel) throw new Error('PyPI has no wheel of pip');
  // A mirror may give addresses that are relative to its own.
  const program = await download(new URL(wheel.url, PIP).href, signal);
  if (createHash('sha256').update(program).digest('hex') !== wheel.digests.sha256)
    throw new Error(`${wheel.url} is not what its checksum says`);
  const file = join(folder, wheel.filename);
  writeFileSync(file, program);
  return file;
}

async function must(command: string, args: string[], signal: AbortSignal): Promise<void> {
  const { ok, lastWords } = await run(command, args, { signal });
  if (!ok) throw new Error(lastWords);
}

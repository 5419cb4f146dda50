import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../scripts/lib/util/error.ts';
import { run } from './child.ts';
import { provideMitmproxy } from './mitmproxy.ts';
import { isProgram } from './program.ts';
import { step } from './progress.ts';
import { install, TOOLS } from './tools.ts';

const NAME = 'python-tools';
const REQUIREMENTS = fileURLToPath(new URL('../addon/requirements.txt', import.meta.url));

/** A Python with mitmproxy, pytest, mypy and ruff. */
export interface PythonTools {
  /** The interpreter, which is mitmproxy's own. */
  python: string;
  /** The environment in which it finds them. */
  env: NodeJS.ProcessEnv;
}

/**
 * Finds the Python of the tests' mitmproxy, and installs what checks and tests the addon into a folder of the project.
 * @throws UserError when there is no way.
 */
export async function providePythonTools(signal: AbortSignal): Promise<PythonTools> {
  const { MITMPROXY, MITTENS_MITMPROXY } = process.env;
  const mitmproxy = await provideMitmproxy(MITMPROXY || MITTENS_MITMPROXY, signal);
  const python = join(dirname(realpathSync(join(mitmproxy, 'mitmdump'))), 'python3');
  if (!isProgram(python))
    throw new UserError(`there is no Python beside ${mitmproxy}/mitmdump, and the addon's checks run on it`, {
      hint: 'make lint without MITMPROXY installs a mitmproxy that has one',
    });
  const version = (await run(python, ['--version'], { signal })).stdout.trim();
  const lock = `# ${version}\n${readFileSync(REQUIREMENTS, 'utf8')}`;
  if (!isInstalled(lock))
    await step('installing pytest, mypy and ruff from PyPI', async () => {
      await install(NAME, async (folder) => await installFromPyPI(python, folder, lock, signal));
    });
  const PATH = `${join(TOOLS, NAME, 'bin')}:${process.env.PATH}`;
  return {
    python,
    env: { ...process.env, PATH, PYTHONPATH: join(TOOLS, NAME), PYTHONDONTWRITEBYTECODE: '1' },
  };
}

/** Whether the folder holds exactly what is required, for this Python. */
function isInstalled(lock: string): boolean {
  const copy = join(TOOLS, NAME, 'lock.txt');
  return existsSync(copy) && readFileSync(copy, 'utf8') === lock;
}

async function installFromPyPI(
  python: string,
  folder: string,
  lock: string,
  signal: AbortSignal,
): Promise<void> {
  const pip = await findPip(python, signal);
  const quietly = ['--quiet', '--no-input', '--disable-pip-version-check'];
  const exactly = ['--no-deps', '--only-binary=:all:', '--requirement', REQUIREMENTS, '--target', folder];
  const { ok, lastWords } = await run(python, [...pip, 'install', ...quietly, ...exactly], { signal });
  if (!ok) throw new UserError(`pytest, mypy and ruff can't be installed: ${lastWords}`);
  writeFileSync(join(folder, 'lock.txt'), lock);
}

/** A Python's own pip, or the wheel that test/setup/mitmproxy.ts has put into the environment. */
async function findPip(python: string, signal: AbortSignal): Promise<string[]> {
  if ((await run(python, ['-c', 'import pip'], { signal })).ok) return ['-m', 'pip'];
  const environment = dirname(dirname(python));
  const wheel = readdirSync(environment).find((name) => /^pip-.*\.whl$/.test(name));
  if (wheel) return [join(environment, wheel, 'pip')];
  throw new UserError(`${python} has no pip, which installs pytest, mypy and ruff`, {
    hint: 'as root: apt-get install python3-pip, or what your distribution has for it',
  });
}

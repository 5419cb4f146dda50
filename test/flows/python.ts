import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The path of a program of the real mitmproxy, which the setup of the tests has found or installed. */
export function mitmproxyProgram(name: 'mitmdump' | 'mitmproxy'): string {
  const { MITTENS_MITMPROXY, PATH = '' } = process.env;
  const folders = [...(MITTENS_MITMPROXY ? [MITTENS_MITMPROXY] : []), ...PATH.split(delimiter)];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (!found) throw new Error(`${name} is missing: make setup installs it`);
  return found;
}

/** The path of mitmproxy's own Python, which is beside the program. That may be a link into a virtual environment. */
export function pythonProgram(): string {
  return join(dirname(realpathSync(mitmproxyProgram('mitmdump'))), 'python3');
}

/** Runs a script with mitmproxy's own Python and modules. @returns its stdout. */
export async function python(script: string, ...args: string[]): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 512 * 1024 * 1024 } as const;
  const { stdout } = await execute(pythonProgram(), ['-c', script, ...args], options);
  return stdout;
}

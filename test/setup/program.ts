import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './child.ts';
import { BIN, TOOLS } from './tools.ts';

/** The PATH, with the folder of installed tools and the folders of root's programs, which not every user has. */
export function searchPath(): string {
  const own = (process.env.PATH ?? '').split(delimiter);
  const more = [BIN, '/usr/sbin', '/sbin'].filter((folder) => !own.includes(folder));
  return [...own, ...more].join(delimiter);
}

/** The path of a program; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  return searchPath()
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a program with args that make it print its version. The version is cached until the program's file changes, as
 * mitmproxy takes a second to print it.
 * @returns undefined if it does not run.
 */
export async function readVersion(
  path: string,
  args: string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { size, mtimeMs } = statSync(path);
  const key = `${path} ${realpathSync(path)} ${size} ${mtimeMs}`;
  const known = readKnown();
  if (known[key]) return known[key];
  const { ok, stdout } = await run(path, args, { signal });
  const version = ok ? /\d+\.\d+(\.\d+)*/.exec(stdout)?.[0] : undefined;
  if (version) remember({ ...known, [key]: version });
  return version;
}

/** Whether a version such as 1.27.3 is a minimum or later. */
export function isAtLeast(version: string, minimum: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of minimum.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

const KNOWN = join(TOOLS, 'versions.json');

function readKnown(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(KNOWN, 'utf8'));
  } catch {
    return {};
  }
}

function remember(known: Record<string, string>): void {
  try {
    mkdirSync(TOOLS, { recursive: true });
    writeFileSync(KNOWN, JSON.stringify(known));
  } catch {
    // In a read-only checkout nothing is cached.
  }
}

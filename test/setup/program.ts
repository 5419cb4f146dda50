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

/** The PATH with what the set-up brought, and with where root's programs are, which not every user's has. */
export function searchPath(): string {
  const own = (process.env.PATH ?? '').split(delimiter);
  const more = [BIN, '/usr/sbin', '/sbin'].filter((folder) => !own.includes(folder));
  return [...own, ...more].join(delimiter);
}

/** Where a program is; undefined when it is nowhere. */
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
 * The version that a program tells when asked by args; undefined when it does not run. It is remembered, as long as
 * the program stays the same file: asking mitmproxy takes a second.
 */
export async function versionOf(
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

/** Whether a version is a minimum or later, part by part. */
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
    // A checkout that is read-only is asked again each time.
  }
}

import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the set-up puts what it brings: a folder of the project that git ignores. */
export const TOOLS = fileURLToPath(new URL('../../.tools/', import.meta.url));

/** The programs that it brought; the caller has it on the PATH. */
export const BIN = join(TOOLS, 'bin');

/**
 * Fills a folder of TOOLS by work, all or nothing: a set-up that is interrupted leaves only what the next one clears
 * away, and two at a time don't meet. The name is a link, as a Python environment can't be moved.
 */
export async function install(name: string, work: (folder: string) => Promise<void>): Promise<string> {
  mkdirSync(TOOLS, { recursive: true });
  clearAway();
  const folder = join(TOOLS, `${name}.${process.pid}`);
  try {
    await work(folder);
    link(name, basename(folder));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  clearAway();
  return join(TOOLS, name);
}

/** Makes or changes a link in one step. */
function link(name: string, target: string): void {
  const fresh = join(TOOLS, `${name}.link.${process.pid}`);
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, join(TOOLS, name));
}

/** Removes what a set-up left that is no longer there, but not what a link points at. */
function clearAway(): void {
  const entries = readdirSync(TOOLS, { withFileTypes: true });
  const used = entries
    .filter((entry) => entry.isSymbolicLink())
    .map(({ name }) => readlinkSync(join(TOOLS, name)));
  for (const { name } of entries) {
    const [, pid] = /\.(\d+)$/.exec(name) ?? [];
    if (!pid || used.includes(name) || existsSync(`/proc/${pid}`)) continue;
    rmSync(join(TOOLS, name), { recursive: true, force: true });
  }
}

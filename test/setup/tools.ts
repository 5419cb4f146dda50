import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder for installed tools, which git ignores. */
export const TOOLS = fileURLToPath(new URL('../../.tools/', import.meta.url));

/** Where single programs are installed; searchPath adds it to the PATH. */
export const BIN = join(TOOLS, 'bin');

/**
 * Installs a tool as a folder in TOOLS, completely or not at all: the next set-up removes what an interrupted one left,
 * and two at the same time do not disturb each other. The name is a link, as a Python environment cannot be moved.
 * @param work fills the folder.
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

/** Creates or replaces a link in one step. */
function link(name: string, target: string): void {
  const fresh = join(TOOLS, `${name}.link.${process.pid}`);
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, join(TOOLS, name));
}

/** Removes what set-ups left that were interrupted, but nothing that a link points at. */
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

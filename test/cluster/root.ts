import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from './volume.ts';

/** The machine's folders of which a container has its own. */
const OWN = ['tmp', 'run', 'proc', 'dev', 'sys', 'lost+found'];

/**
 * Lays out a container's root in a folder: the machine's own folders, read-only, a private /tmp and /run, the volumes.
 * @returns the path of an fstab that makes it so, for `mount --all` in a mount namespace of its own.
 */
export function layOut(folder: string, shared: string[], mounts: Mount[]): string {
  const root = join(folder, 'root');
  for (const name of ['tmp', 'run', 'proc', 'dev'])
    mkdirSync(join(root, name), { recursive: true, mode: 0o777 });
  const lines = [`${fstabPath(root)} ${fstabPath(root)} none bind 0 0`];
  const add = (source: string, target: string, options: string) => {
    place(join(root, target), statSync(source).isDirectory());
    lines.push(`${fstabPath(source)} ${fstabPath(join(root, target))} none ${options} 0 0`);
  };
  for (const entry of readdirSync('/', { withFileTypes: true })) {
    if (OWN.includes(entry.name)) continue;
    const path = `/${entry.name}`;
    if (entry.isSymbolicLink()) cpSync(path, join(root, path), { verbatimSymlinks: true });
    else if (entry.isDirectory()) add(path, path, `rbind,ro${flagsOf(path)}`);
  }
  for (const path of shared) if (/^\/(tmp|run)\//.test(path)) add(path, path, `rbind,ro${flagsOf(path)}`);
  lines.push(`proc ${fstabPath(join(root, 'proc'))} proc defaults 0 0`);
  lines.push(`/dev ${fstabPath(join(root, 'dev'))} none rbind 0 0`);
  for (const { source, target, readOnly } of mounts) add(source, target, readOnly ? 'rbind,ro' : 'rbind');
  const fstab = join(folder, 'fstab');
  writeFileSync(fstab, `${lines.join('\n')}\n`);
  return fstab;
}

/** Makes what a mount needs to be there. A volume below a folder of the machine can't be: its place is read-only. */
function place(path: string, isFolder: boolean): void {
  if (existsSync(path)) return;
  mkdirSync(isFolder ? path : dirname(path), { recursive: true });
  if (!isFolder) writeFileSync(path, '');
}

/** The flags of a mount that a user namespace must not take off again when it makes it read-only. */
function flagsOf(path: string): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const over = mounts
    .filter(([, , , , point = '']) => point === '/' || path === point || path.startsWith(`${point}/`))
    .sort((a, b) => (b[4]?.length ?? 0) - (a[4]?.length ?? 0));
  const locked = (over[0]?.[5] ?? '')
    .split(',')
    .filter((flag) => ['nosuid', 'nodev', 'noexec'].includes(flag));
  return locked.map((flag) => `,${flag}`).join('');
}

/** As fstab(5) wants a path that has spaces. */
function fstabPath(path: string): string {
  return path
    .replaceAll('\\', '\\134')
    .replaceAll(' ', '\\040')
    .replaceAll('\t', '\\011')
    .replaceAll('\n', '\\012');
}

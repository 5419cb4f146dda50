import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Root folders that each container has of its own. */
const OWN = ['tmp', 'run', 'proc', 'dev', 'sys', 'lost+found'];

/**
 * Prepares a container's root in a folder: the machine's folders read-only, a private /tmp and /run, the volumes.
 * @returns the path of an fstab with these mounts, for `mount --all` in a new mount namespace.
 */
export function prepareRoot(folder: string, shared: string[], mounts: Mount[]): string {
  const root = join(folder, 'root');
  for (const name of ['tmp', 'run', 'proc', 'dev'])
    mkdirSync(join(root, name), { recursive: true, mode: 0o777 });
  const volumes = mounts
    .map((mount) => ({ ...mount, target: resolveLinks(mount.target) }))
    .sort((a, b) => (a.target < b.target ? -1 : 1));
  const overlays = overlaysFor(volumes.map(({ target }) => target));
  const lines = [
    `${escapeFstab(root)} ${escapeFstab(root)} none bind 0 0`,
    ...machineFolders(folder, overlays),
    ...shared.filter((path) => /^\/(tmp|run)\//.test(path)).map((path) => shareFolder(root, path)),
    `proc ${escapeFstab(join(root, 'proc'))} proc defaults 0 0`,
    bind('/dev', join(root, 'dev'), 'rbind'),
  ];
  for (const { source, target, readOnly } of volumes) {
    makeMountPoint(findPlace(folder, target, volumes, overlays), statSync(source).isDirectory());
    lines.push(bind(source, join(root, target), readOnly ? 'rbind,ro' : 'rbind'));
  }
  const fstab = join(folder, 'fstab');
  writeFileSync(fstab, `${lines.join('\n')}\n`);
  return fstab;
}

/** Copies the links of the machine's root, and returns the fstab lines of its folders. */
function machineFolders(folder: string, overlays: Set<string>): string[] {
  const root = join(folder, 'root');
  const entries = readdirSync('/', { withFileTypes: true }).filter(({ name }) => !OWN.includes(name));
  for (const link of entries.filter((entry) => entry.isSymbolicLink()))
    cpSync(`/${link.name}`, join(root, link.name), { verbatimSymlinks: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) =>
      overlays.has(`/${name}`) ? overlay(folder, `/${name}`) : shareFolder(root, `/${name}`),
    );
}

function shareFolder(root: string, path: string): string {
  makeMountPoint(join(root, path), true);
  return bind(path, join(root, path), `rbind,ro${readFlags(path)}`);
}

function bind(source: string, target: string, options: string): string {
  return `${escapeFstab(source)} ${escapeFstab(target)} none ${options} 0 0`;
}

/** Creates the file or folder that a mount needs as its target. */
function makeMountPoint(path: string, isFolder: boolean): void {
  if (existsSync(path)) return;
  mkdirSync(isFolder ? path : dirname(path), { recursive: true });
  if (!isFolder) writeFileSync(path, '');
}

/** Where a volume's mount point can be created: in a volume around it, in an overlay of a machine's folder, or in the root. */
function findPlace(folder: string, target: string, volumes: Mount[], overlays: Set<string>): string {
  const outer = volumes.findLast((other) => target.startsWith(`${other.target}/`));
  if (outer) return outer.source + target.slice(outer.target.length);
  return join(folder, overlays.has(firstFolder(target)) ? 'overlay' : 'root', target);
}

/** The first folder of a path: `/etc`. */
function firstFolder(path: string): string {
  return path.split('/', 2).join('/');
}

/** Resolves a path by the machine's links, as far as the machine has it: `/var/run/x` is `/run/x`. */
function resolveLinks(path: string): string {
  return path.split('/').reduce((before, name) => {
    const next = join(before, name);
    const isOwn = OWN.includes(firstFolder(next).slice(1));
    return !isOwn && existsSync(next) ? realpathSync(next) : next;
  }, '/');
}

/** The machine's folders that lack a mount point for a volume: they get an overlay. */
function overlaysFor(targets: string[]): Set<string> {
  const missing = targets.filter((target) => !existsSync(target)).map(firstFolder);
  return new Set(missing.filter((path) => !OWN.includes(path.slice(1)) && existsSync(path)));
}

function overlay(folder: string, path: string): string {
  const upper = join(folder, 'overlay', path);
  const work = join(folder, 'work', path);
  const target = join(folder, 'root', path);
  for (const each of [upper, work, target]) mkdirSync(each, { recursive: true });
  const options = `ro,lowerdir=${path},upperdir=${upper},workdir=${work}`;
  return `overlay ${escapeFstab(target)} overlay ${escapeFstab(options)} 0 0`;
}

/** A mount's flags that a user namespace must keep when it remounts it read-only. */
function readFlags(path: string): string {
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

/** Escapes a path for fstab(5). */
function escapeFstab(path: string): string {
  return path
    .replaceAll('\\', '\\134')
    .replaceAll(' ', '\\040')
    .replaceAll('\t', '\\011')
    .replaceAll('\n', '\\012');
}

export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

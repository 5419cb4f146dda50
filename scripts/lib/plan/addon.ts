import { gzipSync } from 'node:zlib';
import { packTar } from '../util/tar.ts';
import type { Templates } from '../util/template.ts';

/** Folders in templates, whose files keep their paths in the pods. */
const FOLDERS = ['addon', 'door', 'observer'];
/** What the door needs when it runs alone. */
const OF_THE_DOOR = /^(door\/|addon\/(__init__|contract|limits)\.)/;

const packed = { all: new WeakMap<Templates, string>(), door: new WeakMap<Templates, string>() };

/** The Python packages for the pods: tar, gzip and Base64, as templates/start.sh unpacks it. All pods get the same. */
export function packAddon(templates: Templates, needs: 'all' | 'door' = 'all'): string {
  const text = packed[needs].get(templates) ?? pack(templates, needs === 'door' ? OF_THE_DOOR : /^/);
  packed[needs].set(templates, text);
  return text;
}

function pack(templates: Templates, only: RegExp): string {
  const all = FOLDERS.flatMap((folder) => templates.list(folder));
  const names = all.filter((name) => /\.(py|json)$/.test(name) && only.test(name));
  const files = Object.fromEntries(names.map((name) => [name, templates.read(name)]));
  return gzipSync(packTar(files), { level: 9 }).toString('base64');
}

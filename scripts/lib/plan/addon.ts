import { gzipSync } from 'node:zlib';
import { packTar } from '../util/tar.ts';
import type { Templates } from '../util/template.ts';

/** templates/addon, whose files keep that name in the pods. */
const FOLDER = 'addon';

const packed = new WeakMap<Templates, string>();

/** The Python package for the pods: tar, gzip and Base64, as templates/start.sh unpacks it. All pods get the same. */
export function packAddon(templates: Templates): string {
  const text = packed.get(templates) ?? pack(templates);
  packed.set(templates, text);
  return text;
}

function pack(templates: Templates): string {
  const names = templates.list(FOLDER).filter((name) => /\.(py|json)$/.test(name));
  const files = Object.fromEntries(names.map((name) => [name, templates.read(name)]));
  return gzipSync(packTar(files), { level: 9 }).toString('base64');
}

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { PATH } from './system-path.ts';

/** What a container of an image sees: the machine's own files, by these. */
export interface Image {
  /** Where its programs are. */
  path: string[];
  /** Folders that have to be visible, and might lie where a container sees a folder of its own. */
  folders: string[];
  command: string[];
}

/** A reference that names no image that could be. */
export class InvalidImageName extends Error {}

const REFERENCE =
  /^(?:((?:[\w-]+\.)+[\w-]+(?::\d+)?|localhost(?::\d+)?|[\w-]+:\d+)\/)?([a-z0-9._/-]+)(?::([\w][\w.-]*))?(?:@sha256:[0-9a-f]{64})?$/;

/**
 * The catalogue: this machine's node and mitmproxy, by the names that their images have, whatever the tag.
 * @throws InvalidImageName
 */
export function findImage(reference: string): Image | undefined {
  const [, registry = 'docker.io', repository] = REFERENCE.exec(reference) ?? [];
  if (!repository)
    throw new InvalidImageName(
      `Failed to apply default image tag "${reference}": couldn't parse image name "${reference}": invalid reference format`,
    );
  if (registry !== 'docker.io') return undefined;
  const name = repository.replace(/^library\//, '');
  if (name === 'node' || name === 'local/node') return nodeImage();
  if (name === 'mitmproxy/mitmproxy' || name === 'local/mitmproxy') return mitmproxyImage();
  return undefined;
}

/** Why an image cannot be pulled, in containerd's words. */
export function pullError(reference: string): string {
  return `failed to pull and unpack image "${reference}": failed to resolve reference "${reference}": the pocket cluster has only node and mitmproxy/mitmproxy`;
}

function nodeImage(): Image {
  const program = realpathSync(process.execPath);
  return { path: [dirname(program)], folders: [dirname(dirname(program))], command: ['node'] };
}

function mitmproxyImage(): Image | undefined {
  const folder = process.env.MITTENS_MITMPROXY ?? findOnPath('mitmproxy');
  if (!folder) return undefined;
  const program = realpathSync(join(folder, 'mitmproxy'));
  return {
    path: [folder, dirname(program)],
    folders: [...new Set([dirname(dirname(program)), ...findPython(program)])],
    command: ['mitmproxy'],
  };
}

/** The folder of the Python that a script in a virtual environment runs on, and that one's own. */
function findPython(script: string): string[] {
  const [, interpreter] = /^#!\s*(\/\S+)/.exec(readFileSync(script, 'latin1').slice(0, 500)) ?? [];
  if (!interpreter || !existsSync(interpreter)) return [];
  return [interpreter, realpathSync(interpreter)].map((python) => dirname(dirname(python)));
}

function findOnPath(program: string): string | undefined {
  const folders = `${process.env.PATH}${delimiter}${PATH}`.split(delimiter);
  return folders.find((folder) => existsSync(join(folder, program)));
}

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { PATH } from './system-path.ts';

/** An image. Its files are the machine's own. */
export interface Image {
  /** Where its programs are. */
  path: string[];
  /** Folders that must be visible, though they may lie in /tmp or /run, which a container has of its own. */
  folders: string[];
  command: string[];
}

/** A malformed image reference. */
export class InvalidImageName extends Error {}

const REFERENCE =
  /^(?:((?:[\w-]+\.)+[\w-]+(?::\d+)?|localhost(?::\d+)?|[\w-]+:\d+)\/)?([a-z0-9._/-]+)(?::([\w][\w.-]*))?(?:@sha256:[0-9a-f]{64})?$/;

/**
 * Finds an image by its reference, with any tag: this machine's node or mitmproxy.
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

/** The error with which containerd would refuse a pull. */
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

/** The folders of the Python that runs a script: the virtual environment's, and the one behind its link. */
function findPython(script: string): string[] {
  const [, interpreter] = /^#!\s*(\/\S+)/.exec(readFileSync(script, 'latin1').slice(0, 500)) ?? [];
  if (!interpreter || !existsSync(interpreter)) return [];
  return [interpreter, realpathSync(interpreter)].map((python) => dirname(dirname(python)));
}

function findOnPath(program: string): string | undefined {
  const folders = `${process.env.PATH}${delimiter}${PATH}`.split(delimiter);
  return folders.find((folder) => existsSync(join(folder, program)));
}

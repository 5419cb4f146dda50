import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Files beside a module, as the data of a ConfigMap: by their names, without their folders. */
export function filesBeside(module: string, paths: string[]): Record<string, string> {
  const read = (path: string) => readFileSync(new URL(path, module), 'utf8');
  return Object.fromEntries(paths.map((path) => [basename(path), read(path)]));
}

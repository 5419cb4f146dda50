import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { UserError } from './error.ts';

/** The values of a template's placeholders, by name. */
export type Values = Record<string, unknown>;

const OWN = findAbove('templates', dirname(fileURLToPath(import.meta.url)));

/** The templates of everything that is written to a cluster. A file in the user's folder replaces ours. */
export class Templates {
  /** The user's own folder. */
  readonly folder: string | undefined;
  readonly #folders: string[];

  /** @throws UserError when the user's folder does not exist. */
  constructor(folder?: string) {
    if (folder && !existsSync(folder)) {
      throw new UserError(`there is no folder ${folder}`, {
        hint: '--templates takes a folder of YAML files',
      });
    }
    this.folder = folder;
    this.#folders = folder ? [folder, OWN] : [OWN];
  }

  /** Lists the paths of the files in a folder and below, sorted. The user's own folder can add files. */
  list(folder: string): string[] {
    const found = this.#folders
      .filter((root) => existsSync(join(root, folder)))
      .flatMap((root) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .map((path) => join(folder, path))
          .filter((path) => statSync(join(root, path)).isFile()),
      );
    return [...new Set(found)].sort();
  }

  /** Reads a file as text. */
  read(file: string): string {
    const folder = this.#folders.find((folder) => existsSync(join(folder, file)));
    if (!folder) throw new Error(`no template ${file}`);
    return readFileSync(join(folder, file), 'utf8');
  }

  /**
   * Renders a template: replaces each `${name}` by its value.
   * @throws UserError when a user's file is not YAML, or has a placeholder without a value.
   */
  render(name: string, values: Values): unknown {
    const file = `${name}.yaml`;
    try {
      return fill(load(this.read(file)), values);
    } catch (error) {
      throw new UserError(`template ${file}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** Finds a folder beside this one or beside a parent: in the sources and in a bundle the depth differs. */
function findAbove(name: string, folder: string): string {
  const candidate = join(folder, name);
  return existsSync(candidate) || folder === dirname(folder) ? candidate : findAbove(name, dirname(folder));
}

/**
 * Replaces placeholders in a parsed tree, so that no value can change the structure. A string that is only a
 * placeholder becomes the value, of whatever type. In a longer string, the placeholder becomes text.
 */
export function fill(tree: unknown, values: Values): unknown {
  if (typeof tree === 'string') return fillString(tree, values);
  if (Array.isArray(tree)) return tree.flatMap((item) => fillItem(item, values));
  if (tree === null || typeof tree !== 'object') return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, fill(value, values)]));
}

/** In a list, `${...name}` becomes the items of a list. */
function fillItem(item: unknown, values: Values): unknown[] {
  const list = typeof item === 'string' ? /^\$\{\.\.\.(\w+)\}$/.exec(item)?.[1] : undefined;
  return list ? (lookUp(list, values) as unknown[]) : [fill(item, values)];
}

function fillString(text: string, values: Values): unknown {
  const whole = /^\$\{(\w+)\}$/.exec(text)?.[1];
  if (whole) return lookUp(whole, values);
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => String(lookUp(name, values)));
}

function lookUp(name: string, values: Values): unknown {
  if (!Object.hasOwn(values, name)) {
    throw new Error(`no value \${${name}}; there are ${Object.keys(values).join(', ')}`);
  }
  return values[name];
}

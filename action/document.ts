// Writes the tables of inputs and outputs in docs/ci.md from action.yml: make docs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { formatTable, replaceBlock } from '../scripts/lib/util/markdown.ts';

interface Action {
  inputs: Record<string, { description: string; default?: string; required?: boolean }>;
  outputs: Record<string, { description: string }>;
}

const FILE = new URL('../docs/ci.md', import.meta.url);

/** Replaces the tables in the document by those of action.yml. */
export function updateTables(text: string): string {
  const action = load(readFileSync(new URL('../action.yml', import.meta.url), 'utf8')) as Action;
  const inputs = Object.entries(action.inputs).map(
    ([name, { description, default: byDefault, required }]) => {
      const value = required ? '(required)' : byDefault ? `\`${byDefault}\`` : '';
      return [`\`${name}\``, value, description];
    },
  );
  const outputs = Object.entries(action.outputs).map(([name, { description }]) => [
    `\`${name}\``,
    description,
  ]);
  const tables = {
    'inputs of action.yml': formatTable(['Input', 'Default', ''], inputs),
    'outputs of action.yml': formatTable(['Output', ''], outputs),
  };
  return Object.entries(tables).reduce((text, [name, table]) => replaceBlock(text, name, table), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(FILE, updateTables(readFileSync(FILE, 'utf8')));

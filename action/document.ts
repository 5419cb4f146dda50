// Writes the tables of inputs and outputs in docs/ci.md from action.yml: make docs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';

interface Action {
  inputs: Record<string, { description: string; default?: string; required?: boolean }>;
  outputs: Record<string, { description: string }>;
}

const FILE = new URL('../docs/ci.md', import.meta.url);

/** The document with its tables as action.yml has them now. */
export function documented(text: string): string {
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
  return replaced(
    replaced(text, 'inputs', table(['Input', 'Default', ''], inputs)),
    'outputs',
    table(['Output', ''], outputs),
  );
}

function replaced(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} of action.yml -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/ci.md has no place for the ${name}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(FILE, documented(readFileSync(FILE, 'utf8')));

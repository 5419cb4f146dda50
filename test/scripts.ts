import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { CommandName } from '../scripts/lib/cli/flags.ts';
import { execute, type Result } from './execute.ts';
import { checkHints } from './hints.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCRIPTS = join(ROOT, 'scripts');

/**
 * The command line of one of the scripts, as its users start it: node --import tsx scripts/on.ts. Where test/run.ts has
 * bundled the scripts, that of its bundle, which behaves alike and starts in a third of the time.
 */
export function commandLine(command: CommandName, args: string[]): string[] {
  const { MITTENS_TEST_SCRIPTS: bundles } = process.env;
  if (bundles) return [process.execPath, join(bundles, `${command}.mjs`), ...args];
  return [process.execPath, '--import', 'tsx', join(SCRIPTS, `${command}.ts`), ...args];
}

/** Runs a script to its end, without a terminal. What it tells its user to run is parsed. */
export async function mittens(command: CommandName, ...args: string[]): Promise<Result> {
  const [node = '', ...rest] = commandLine(command, args);
  const result = await execute(node, rest);
  checkHints(result.stderr);
  return result;
}

/**
 * Bundles each script into one file. A bundle believes that it is its source, started by its user: what it says of
 * itself, what it starts again, and where it looks for templates is the same.
 * @returns the folder.
 */
export async function bundleScripts(folder: string): Promise<string> {
  const scripts = readdirSync(SCRIPTS).filter((name) => name.endsWith('.ts'));
  await Promise.all(
    scripts.map(async (name) => {
      const script = JSON.stringify(join(SCRIPTS, name));
      const banner = [
        "import { createRequire as createRequireOfBundle } from 'node:module';",
        `const require = createRequireOfBundle(${script});`,
        `process.argv[1] = ${script};`,
        "process.execArgv.push('--import', 'tsx');",
      ];
      await build({
        entryPoints: [join(SCRIPTS, name)],
        outfile: join(folder, name.replace(/ts$/, 'mjs')),
        bundle: true,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        banner: { js: banner.join('\n') },
        plugins: [ownUrls],
        logLevel: 'warning',
      });
    }),
  );
  return folder;
}

/** Each module's import.meta.url stays that of its source. */
const ownUrls: Plugin = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: source.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

// Bundles the Action into action/dist, from where GitHub runs it: bundle.ts [FOLDER]
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const own = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const [folder = own('dist')] = process.argv.slice(2);

const options: BuildOptions = {
  outdir: folder,
  absWorkingDir: own('..'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
  // Packages that are not ES modules call require.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

/** The artifact client is large and rarely needed, so it is a file of its own, which is imported late. */
const artifactClient: Plugin = {
  name: 'artifact-client',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@actions\/artifact$/ }, () => ({ path: './artifact.js', external: true })),
};

rmSync(folder, { recursive: true, force: true });
// Without shared chunks, whose names contain a hash: a change of the sources renames no file.
const entries = ['main', 'post', 'capture'].map((name) => own(`${name}.ts`));
await build({ ...options, entryPoints: entries, plugins: [artifactClient] });
await build({ ...options, entryPoints: { artifact: '@actions/artifact' } });

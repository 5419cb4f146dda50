// Bundles the Action into action/dist, which GitHub runs as it is committed: bundle.ts [FOLDER]
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const own = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const [folder = own('dist')] = process.argv.slice(2);

rmSync(folder, { recursive: true, force: true });
await build({
  entryPoints: ['main', 'post', 'recorder'].map((name) => own(`${name}.ts`)),
  outdir: folder,
  absWorkingDir: own('..'),
  bundle: true,
  // What uploads is large, and is loaded when it is needed.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
  // Packages that are no ES modules ask for it.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
});

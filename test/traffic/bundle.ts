import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The app and its client, each one file that node runs as it is, to travel in a ConfigMap. */
export async function bundleTraffic(): Promise<Record<string, string>> {
  const { outputFiles } = await build({
    entryPoints: ['serve', 'ask'].map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [path.replace(/^.*[/\\]/, ''), text]));
}

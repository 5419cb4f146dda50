import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PEERS = ['app-grpc', 'app-tcp', 'app-web', 'ask-grpc', 'ask-tcp', 'ask-web'] as const;

export type Peer = `${(typeof PEERS)[number]}.mjs`;

/** Servers and clients of many protocols, each one file that node runs as it is, to travel in a ConfigMap. */
export async function bundlePeers(): Promise<Record<Peer, string>> {
  const { outputFiles } = await build({
    entryPoints: PEERS.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    // gRPC loads it for files of protocols, of which there are none; ws, where they are, for speed.
    external: ['@grpc/proto-loader', 'bufferutil', 'utf-8-validate'],
    // Packages that are no ES modules ask for it.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
  const named = outputFiles.map(({ path, text }) => [path.replace(/^.*[/\\]/, ''), text]);
  return Object.fromEntries(named) as Record<Peer, string>;
}

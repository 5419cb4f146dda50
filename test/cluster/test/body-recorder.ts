import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generate } from 'selfsigned';
import { discover } from '../src/api/discovery.ts';

interface Sent {
  contentType: string;
  body: Buffer;
}

export interface BodyRecorder {
  /** A folder of its own, which stop() removes. */
  directory: string;
  kubectl(args: string[]): Promise<string>;
  /** Records the body that a kubectl command posts; undefined if it posts none. */
  recordBody(args: string[]): Promise<Sent | undefined>;
  stop(): void;
}

/** Starts a server that serves discovery, refuses every POST, and keeps the last body. */
export async function recordBodies(): Promise<BodyRecorder> {
  const directory = mkdtempSync(join(tmpdir(), 'mittens-bodies-'));
  const pems = await generate([{ name: 'commonName', value: 'localhost' }]);
  let sent: Sent | undefined;
  const server = createServer({ key: pems.private, cert: pems.cert }, async (request, response) => {
    const known = discover(new URL(request.url ?? '/', 'https://localhost').pathname);
    if (request.method === 'POST') sent = await receive(request);
    const answer = known ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 };
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = join(directory, 'config');
  writeFileSync(config, formatKubeconfig((server.address() as AddressInfo).port));
  const env = { ...process.env, KUBECONFIG: config, HOME: directory };
  const kubectl = async (args: string[]) => (await promisify(execFile)('kubectl', args, { env })).stdout;
  return {
    directory,
    kubectl,
    recordBody: async (args) => {
      sent = undefined;
      // It fails, because the server refuses.
      await kubectl(args).catch(() => undefined);
      return sent;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function receive(request: IncomingMessage): Promise<Sent> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { contentType: request.headers['content-type'] ?? '', body: Buffer.concat(chunks) };
}

function formatKubeconfig(port: number): string {
  const cluster = { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'it', cluster }],
    users: [{ name: 'it', user: { token: 'none' } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  });
}

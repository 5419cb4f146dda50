import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './launch.ts';

export interface PocketCluster {
  /** The path of its own kubeconfig, never the user's. */
  kubeconfig: string;
  /** Ends the cluster and everything in it. */
  stop(): Promise<void>;
}

/**
 * Starts a pocket cluster. It ends with this process, however this process ends.
 * @throws UserError when the machine does not allow the namespaces, or lacks a program.
 */
export async function startCluster(): Promise<PocketCluster> {
  const launched = await launch(fileURLToPath(new URL('main.ts', import.meta.url)));
  const { certificate, token } = JSON.parse(await launched.firstLine) as {
    certificate: string;
    token: string;
  };
  const folder = mkdtempSync(join(tmpdir(), 'mittens-cluster-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, formatKubeconfig(launched.port, certificate, token), { mode: 0o600 });
  return {
    kubeconfig,
    stop: async () => {
      await launched.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function formatKubeconfig(port: number, certificate: string, token: string): string {
  const name = 'pocket';
  const authority = Buffer.from(certificate).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': authority } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
  });
}

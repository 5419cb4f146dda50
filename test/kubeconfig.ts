import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a kubeconfig of one cluster into a folder. @returns its path. */
export function writeKubeconfig(folder: string, server: string): string {
  const name = 'test';
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server } }],
    // Without a token kubectl asks for a name and a password.
    users: [{ name, user: { token: 'none' } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return file;
}

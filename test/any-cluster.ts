import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PocketCluster, startCluster } from './cluster/src/cluster.ts';

/**
 * Starts a pocket cluster, or takes a real one by the name of its context in the user's kubeconfig. A real one is used
 * only if it is named, and through a kubeconfig that has no other.
 */
export async function anyCluster(context: string | undefined): Promise<PocketCluster> {
  if (!context) return await startCluster();
  const args = ['config', 'view', '--minify', '--flatten', '--raw', `--context=${context}`];
  const { stdout } = await promisify(execFile)('kubectl', args);
  const folder = mkdtempSync(join(tmpdir(), 'mittens-context-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, stdout, { mode: 0o600 });
  return { kubeconfig, stop: async () => rmSync(folder, { recursive: true, force: true }) };
}

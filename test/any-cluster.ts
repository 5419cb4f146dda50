import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PocketCluster, startCluster } from './cluster/src/cluster.ts';

/**
 * The cluster to work on: the pocket cluster, which is started, or a real one by its context in the user's kubeconfig.
 * A real one is only ever used when it is named, and by a kubeconfig that knows no other.
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

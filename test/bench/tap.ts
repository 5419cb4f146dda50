import { anyCluster } from '../any-cluster.ts';
import { mittens } from '../scripts.ts';

/**
 * How much longer a tap takes than the rollout that it needs: `on --detach` beside the same patch and
 * `kubectl rollout status`, in turns, on a real cluster: tap.ts CONTEXT [ROUNDS].
 */

const [context, rounds = '5'] = process.argv.slice(2);
if (!context) throw new Error('which cluster? tap.ts CONTEXT [ROUNDS]');
const ROUNDS = Number(rounds);
const cluster = await anyCluster(context);
Object.assign(process.env, { KUBECONFIG: cluster.kubeconfig, MITTENS_TEST_KUBECONFIG: cluster.kubeconfig });
const { Namespace } = await import('../e2e/namespace.ts');
const shop = new Namespace();

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function sidecar(): Promise<string> {
  const template = await shop.get<{ spec: { template: { spec: { containers: { name: string }[] } } } }>(
    'deployment/web',
  );
  const containers = template.spec.template.spec.containers.filter(({ name }) => name !== 'app');
  return JSON.stringify({ spec: { template: { spec: { containers } } } });
}

async function rollOut(patch: string): Promise<void> {
  await shop.kubectl('patch', 'deployment/web', '--patch', patch);
  await shop.kubectl('rollout', 'status', 'deployment/web');
}

try {
  await shop.create();
  await shop.app({ name: 'web', replicas: 2 });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  const rollouts: number[] = [];
  const taps: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    taps.push(await seconds(() => mittens('on', 'web', '--detach', '-n', shop.name)));
    const patch = await sidecar();
    await mittens('off', 'web', '-n', shop.name);
    await shop.proxiesGone();
    rollouts.push(await seconds(() => rollOut(patch)));
    await mittens('off', 'web', '-n', shop.name);
    await shop.proxiesGone();
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const [tap, rollout] = [median(taps), median(rollouts)];
  console.log(`tap ${tap.toFixed(2)} s, its rollout alone ${rollout.toFixed(2)} s (medians of ${ROUNDS})`);
  console.log(
    `a tap takes ${(tap / rollout).toFixed(2)} times the rollout, ${(tap - rollout).toFixed(2)} s more`,
  );
} finally {
  await shop.delete();
  await cluster.stop();
}

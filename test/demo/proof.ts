import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../scripts/lib/error.ts';
import { sleep } from '../../scripts/lib/rollout.ts';
import { step } from '../setup/progress.ts';
import { CALLERS } from './shop.ts';
import type { Stage } from './stage.ts';

/** How the shop is: its objects by name, and what its callers have counted. */
export interface State {
  objects: Record<string, unknown>;
  asked: Record<string, { sent: number; failed: string[] }>;
}

/** Annotations in which the controllers count how often a workload was changed. */
const COUNTERS = ['deployment.kubernetes.io/revision'];

interface KubeObject {
  kind: string;
  metadata: { name: string; labels?: object; annotations?: Record<string, string> };
  spec: object;
}

/** Reads the spec, labels and annotations of every Service and Deployment, and the callers' counts. */
export async function readState({ kubectl }: Stage, signal: AbortSignal): Promise<State> {
  const items = await kubectl.list<KubeObject>(['services,deployments'], { signal });
  const objects = items.map(({ kind, metadata: { name, labels, annotations = {} }, spec }) => {
    const kept = Object.entries(annotations).filter(([key]) => !COUNTERS.includes(key));
    return [`${kind} ${name}`, { labels, annotations: Object.fromEntries(kept), spec }];
  });
  const asked = CALLERS.map(async (name) => {
    const line = await kubectl.run(['logs', `deployment/${name}`, '--tail=1'], { signal });
    return [name, line ? JSON.parse(line) : { sent: 0, failed: [] }];
  });
  return { objects: Object.fromEntries(objects), asked: Object.fromEntries(await Promise.all(asked)) };
}

/**
 * Proves that all is as before the tap.
 * @returns what was compared, a line each.
 * @throws UserError for what is not as it was.
 */
export async function prove(stage: Stage, before: State, signal: AbortSignal): Promise<string[]> {
  const pods = await step(
    'waiting for the pods with a proxy to end',
    async () => await proxiesGone(stage, signal),
  );
  // The callers tell their counts twice a second.
  await sleep(1000);
  const after = await readState(stage, signal);
  const changed = Object.keys({ ...before.objects, ...after.objects }).filter(
    (name) => !isDeepStrictEqual(before.objects[name], after.objects[name]),
  );
  if (changed.length > 0) throw new UserError(`not as before the tap: ${changed.join(', ')}`);
  const { sent, failed } = since(before, after);
  if (failed.length > 0)
    throw new UserError(`the shop's callers lost ${failed.length} requests: ${failed[0]}`);
  if (sent === 0) throw new UserError("the shop's callers sent nothing");
  return [
    `spec, labels and annotations of all ${Object.keys(after.objects).length} Services and Deployments: equal`,
    `proxies left in the ${pods} pods: none`,
    `requests of the shop's callers since before the tap: ${sent} sent, 0 lost`,
  ];
}

/** Waits until no pod has a proxy any more, not even one on its way out; returns how many pods there are. */
async function proxiesGone({ kubectl }: Stage, signal: AbortSignal): Promise<number> {
  const deadline = Date.now() + 60_000;
  for (; ; await sleep(500)) {
    const pods = await kubectl.list<{ spec: { containers: { name: string }[] } }>(['pods'], { signal });
    const proxies = pods.filter(({ spec }) =>
      spec.containers.some(({ name }) => name.startsWith('mittens-')),
    );
    if (proxies.length === 0) return pods.length;
    if (Date.now() > deadline)
      throw new UserError(`${proxies.length} pods still have a proxy after a minute`);
  }
}

/** What the callers asked in between, and what of it got no answer of the shop's own. */
function since(before: State, after: State): { sent: number; failed: string[] } {
  const callers = CALLERS.map((name) => [before.asked[name], after.asked[name]] as const);
  return {
    sent: callers.reduce((sum, [was, is]) => sum + (is?.sent ?? 0) - (was?.sent ?? 0), 0),
    failed: callers.flatMap(([was, is]) => is?.failed.slice(was?.failed.length) ?? []),
  };
}

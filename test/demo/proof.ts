import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../scripts/lib/util/error.ts';
import { step } from '../setup/progress.ts';
import { type Asked, readAsked, since } from './callers.ts';
import type { Stage } from './stage.ts';

/** How the shop is: its objects by name, and what its callers have counted. */
export interface State {
  objects: Record<string, unknown>;
  asked: Asked;
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
  return { objects: Object.fromEntries(objects), asked: await readAsked(kubectl, signal) };
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
  const { sent, failed } = since(before.asked, after.asked);
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

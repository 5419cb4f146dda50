import { randomBytes } from 'node:crypto';
import { Kubectl } from '../../scripts/lib/kube/kubectl.ts';
import { UserError } from '../../scripts/lib/util/error.ts';
import { run } from '../setup/child.ts';
import { step } from '../setup/progress.ts';
import { untilAnswered } from './callers.ts';
import { shop } from './shop.ts';

/** Where the demo plays: a namespace of its own with the shop in it. */
export interface Stage {
  kubectl: Kubectl;
  /** kubectl's flags that lead there. */
  flags: string[];
  /** Takes it down, with all that is in it. */
  clear(): Promise<void>;
}

/**
 * Sets the stage on a real cluster, or on a pocket cluster of its own.
 * @throws UserError when the shop does not open, with nothing left behind.
 */
export async function setStage(context: string | undefined, signal: AbortSignal): Promise<Stage> {
  const stage = context === undefined ? await inPocket() : inContext(context);
  try {
    signal.throwIfAborted();
    await step(`opening a shop in namespace ${stage.kubectl.connection.namespace}`, async () => {
      await openShop(stage, signal);
    });
    return stage;
  } catch (error) {
    await stage.clear();
    throw error;
  }
}

/** Its name says whose it is, should it ever be left behind. */
function newNamespace(): string {
  return `mittens-demo-${randomBytes(3).toString('hex').slice(0, 5)}`;
}

function inContext(context: string): Stage {
  const namespace = newNamespace();
  const flags = [`--context=${context}`, `--namespace=${namespace}`];
  const clear = async () => {
    // The pods first: Kubernetes looks but now and then whether a namespace that has some can go.
    const pods = ['delete', 'deployments', '--all', '--cascade=foreground', '--timeout=5m'];
    const all = ['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=5m'];
    await step(`deleting namespace ${namespace}`, async () => {
      await new Kubectl({ context, namespace }).run(pods);
      await new Kubectl({ context }).run(all);
    });
  };
  return { kubectl: new Kubectl({ context, namespace }), flags, clear };
}

async function inPocket(): Promise<Stage> {
  const { startCluster } = await import('../cluster/src/cluster.ts');
  const cluster = await step('starting the pocket cluster', startCluster).catch((error: Error) => {
    throw new UserError(error.message, { hint: 'or on a cluster of yours: make demo CONTEXT=kind-x' });
  });
  // For all that is started from here on.
  process.env.KUBECONFIG = cluster.kubeconfig;
  const namespace = newNamespace();
  return { kubectl: new Kubectl({ namespace }), flags: [`--namespace=${namespace}`], clear: cluster.stop };
}

/** Opens the shop in a namespace of its own, and waits until it serves. */
export async function openShop({ kubectl }: Pick<Stage, 'kubectl'>, signal: AbortSignal): Promise<void> {
  const { namespace } = kubectl.connection;
  const items = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, ...shop()];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const [command = '', ...args] = kubectl.argv(['create', '-f', '-']);
  const { ok, lastWords } = await run(command, args, { signal, input: list });
  if (!ok) throw new UserError(lastWords);
  const ready = ['wait', 'deployment', '--all', '--for=condition=Available', '--timeout=120s'];
  await kubectl.run(ready, { signal });
  await untilAnswered(kubectl, signal);
}

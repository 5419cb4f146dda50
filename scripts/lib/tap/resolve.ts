import type { Connection } from '../kube/kubectl.ts';
import { Kubectl } from '../kube/kubectl.ts';
import type { Pod, Service, Workload } from '../kube/objects.ts';
import { parseResourceArg, type ResourceArg } from '../kube/resource-arg.ts';
import { isSelected } from '../kube/workload.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { canBeTapped } from '../plan/preflight.ts';
import { targetId } from '../plan/target-id.ts';
import { UsageError, UserError } from '../util/error.ts';
import { askFor } from '../util/prompt.ts';

/** What a command's argument means: `service/web` or `pod/web-1`, and kubectl in its namespace. */
export interface Target {
  kubectl: Kubectl;
  name: string;
}

/**
 * Where the Service is that a command's argument means: the argument may bring its namespace along, or name a
 * workload that it is in front of. A pod is not looked behind.
 * @param signal ends a question.
 * @throws UserError when that is not one Service, and nobody can be asked.
 */
export async function resolve(
  connection: Connection,
  argument: string,
  signal?: AbortSignal,
): Promise<Target> {
  const target = parseResourceArg(argument);
  const kubectl = new Kubectl(chooseConnection(connection, target, argument));
  const name = `${target.kind}/${target.name}`;
  if (target.kind === 'service' || target.kind === 'pod') return { kubectl, name };
  const { spec } = await kubectl.get<Workload>([name]);
  return { kubectl, name: await findServiceInFront(kubectl, name, spec.template.metadata?.labels, signal) };
}

function chooseConnection(connection: Connection, { namespace }: ResourceArg, argument: string): Connection {
  const flag = connection.namespace;
  if (namespace && flag && namespace !== flag) {
    throw new UsageError(
      `"${argument}" is not in the namespace ${flag}`,
      'leave out --namespace or the prefix',
    );
  }
  return { ...connection, namespace: namespace ?? flag };
}

/** The Service in front of a pod, as locate gives it. */
export async function findServiceOfPod(
  kubectl: Kubectl,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const { metadata } = await kubectl.get<Pod>([name]);
  return await findServiceInFront(kubectl, name, metadata.labels, signal);
}

async function findServiceInFront(
  kubectl: Kubectl,
  name: string,
  labels: Record<string, string> | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const services = await kubectl.list<Service>(['services']);
  const inFront = services.filter(
    (service) => canBeTapped(service) && isSelected(originalSelector(service), labels),
  );
  const names = inFront.map(targetId);
  const [first, ...others] = names;
  if (!first)
    throw new UserError(`no Service that can be tapped is in front of ${name}`, {
      hint: 'kubectl get services -o wide shows what each selects; one pod alone is tapped by: on pod/NAME',
    });
  if (others.length === 0) return first;
  const question = `several Services are in front of ${name}`;
  const answer = signal && (await askFor(question, names, signal));
  if (answer === undefined)
    throw new UserError(`${question}: ${names.join(', ')}`, { hint: 'name the one that you mean' });
  if (names.includes(answer)) return answer;
  throw new UserError(`${answer} is not in front of ${name}`, { hint: `it is one of ${names.join(', ')}` });
}

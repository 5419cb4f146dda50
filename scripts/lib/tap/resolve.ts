import { kubectlCommand, mittensCommand } from '../cli/to-run.ts';
import type { Labels, Pod, Service, Workload } from '../kube/objects.ts';
import { parseResourceArg } from '../kube/resource-arg.ts';
import { isSelected } from '../kube/workload.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { canBeTapped } from '../plan/preflight.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import { commandFor, targetId } from '../plan/target-id.ts';
import { UsageError, UserError } from '../util/error.ts';
import { message } from '../util/message.ts';
import { askFor } from '../util/prompt.ts';
import type { ActiveTap } from './active-tap.ts';
import { type Context, inNamespace } from './context.ts';
import { readTarget } from './read-target.ts';

/** What the argument of a command means. */
export interface Target {
  /** In the namespace that the argument or the flags name. */
  context: Context;
  /** `service/web` or `pod/web-1`. */
  id: string;
}

/** A target as it was read. */
export interface OpenTarget {
  /** In the namespace of the Service. */
  context: Context;
  service: Service;
  record: TapRecord | undefined;
}

/**
 * Finds the Service or pod that an argument names. The argument may have a namespace, or name a workload; then the
 * Service in front of it is meant. Asks which one, if there are several and the context has a signal.
 * @throws UserError when it is not exactly one.
 */
export async function resolve(context: Context, argument: string): Promise<Target> {
  const { kind, name, namespace } = parseResourceArg(argument);
  const target = { context: moveTo(context, namespace, argument), id: `${kind}/${name}` };
  if (kind === 'service' || kind === 'pod') return target;
  const { spec } = await target.context.kubectl.get<Workload>([target.id]);
  return await findServiceInFront(target, spec.template.metadata?.labels);
}

/** Reads a target. */
export async function openTarget({ context, id }: Target): Promise<OpenTarget> {
  const service = await readTarget(context.kubectl, id);
  const { namespace } = service.metadata;
  return { context: inNamespace(context, namespace), service, record: parseRecord(service) };
}

/**
 * Finds the tap of the Service or pod that an argument names.
 * @throws UserError when it is not tapped.
 */
export async function openTap(
  context: Context,
  argument: string,
): Promise<{ context: Context; tap: ActiveTap }> {
  const { context: inside, service, record } = await openTarget(await resolve(context, argument));
  if (record) return { context: inside, tap: { kubectl: inside.kubectl, service, record } };
  throw new UserError(`${targetId(service)} is not tapped`, {
    hint: message`tap it: ${commandFor('on', service)}`,
  });
}

function moveTo(context: Context, namespace: string | undefined, argument: string): Context {
  const flag = context.kubectl.connection.namespace;
  if (namespace === undefined) return context;
  if (flag === undefined || namespace === flag) return inNamespace(context, namespace);
  throw new UsageError(
    `"${argument}" is not in the namespace ${flag}`,
    'leave out --namespace, or the namespace before the slash',
  );
}

/** The Service in front of a pod, as `resolve` returns it. */
export async function findServiceOfPod(target: Target): Promise<Target> {
  const { metadata } = await target.context.kubectl.get<Pod>([target.id]);
  return await findServiceInFront(target, metadata.labels);
}

async function findServiceInFront({ context, id }: Target, labels: Labels | undefined): Promise<Target> {
  const { kubectl, signal } = context;
  const { namespace } = kubectl.connection;
  const services = await kubectl.list<Service>(['services']);
  const inFront = services.filter(
    (service) => canBeTapped(service) && isSelected(originalSelector(service), labels),
  );
  const names = inFront.map(targetId);
  const [first, ...others] = names;
  if (!first)
    throw new UserError(`no Service that can be tapped is in front of ${id}`, {
      hint: message`see what each selects: ${kubectlCommand(['get', 'services', '-o', 'wide'], { namespace })}\nor tap one pod: ${mittensCommand('on', [id.startsWith('pod/') ? id : 'pod/NAME'], { namespace })}`,
    });
  if (others.length === 0) return { context, id: first };
  const question = `several Services are in front of ${id}`;
  const answer = signal && (await askFor(question, names, signal));
  if (answer === undefined)
    throw new UserError(`${question}: ${names.join(', ')}`, { hint: 'name one of them' });
  if (names.includes(answer)) return { context, id: answer };
  throw new UserError(`${answer} is not in front of ${id}`, { hint: `choose one of ${names.join(', ')}` });
}

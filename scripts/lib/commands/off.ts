import type { Flags } from '../cli/flags.ts';
import { Kubectl, toConnection } from '../kube/kubectl.ts';
import { targetId } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import { createContext } from '../tap/context.ts';
import { findTaps } from '../tap/find.ts';
import { findServicesOfProxies } from '../tap/remains.ts';
import { resolve, type Target } from '../tap/resolve.ts';
import { UsageError, UserError } from '../util/error.ts';

/**
 * The command `off`: gives back the Services that it is given, or every tapped one. One that fails does
 * not keep the others.
 */
export async function off(args: string[], flags: Flags<'off'>): Promise<void> {
  refuseContradictions(args, flags);
  const kubectl = new Kubectl(toConnection(flags));
  const context = createContext(kubectl, flags);
  const located = flags.all
    ? await findTapped(kubectl, flags)
    : await Promise.all(args.map((argument) => resolve(toConnection(flags), argument)));
  const failed: string[] = [];
  for (const { kubectl, name } of located) {
    try {
      const there = await endTap({ ...context, kubectl }, name);
      context.log.say(there ? `${name} is as it was` : `${name} is not tapped`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (located.length === 1) throw error;
      context.log.say(`error: ${name}: ${error.message}`);
      failed.push(name);
    }
  }
  if (located.length === 0) context.log.say('no Service is tapped');
  if (failed.length > 0) throw new UserError(`not given back: ${failed.join(', ')}`);
}

function refuseContradictions(args: string[], flags: Flags<'off'>): void {
  if (flags.all && args.length > 0) throw new UsageError('either --all or names, not both');
  if (!flags.all && args.length === 0)
    throw new UsageError('which Service?', 'name it, or use --all; list shows them');
  if (!flags['all-namespaces']) return;
  if (!flags.all) throw new UsageError('--all-namespaces goes with --all');
  if (flags.namespace) throw new UsageError('either --namespace or --all-namespaces, not both');
}

/** Everything that is tapped, by us or by an ancestor, or whose proxy was left behind. */
async function findTapped(kubectl: Kubectl, flags: Flags<'off'>): Promise<Target[]> {
  const everywhere = flags['all-namespaces'] ? ['--all-namespaces'] : [];
  const tapped = (await findTaps(kubectl, everywhere)).map((service) => ({
    namespace: service.metadata.namespace,
    name: targetId(service),
  }));
  const found = new Map<string, Target>();
  for (const { namespace, name } of [...tapped, ...(await findServicesOfProxies(kubectl, everywhere))])
    found.set(`${namespace} ${name}`, { kubectl: kubectl.in(namespace), name });
  return [...found.values()];
}

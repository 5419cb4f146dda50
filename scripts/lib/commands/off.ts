import type { Flags } from '../cli/flags.ts';
import { connectionOf, Kubectl } from '../kube/kubectl.ts';
import { subjectName } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import { benchOf } from '../tap/context.ts';
import { findTaps } from '../tap/find.ts';
import { servicesOfProxies } from '../tap/remains.ts';
import { type Located, locate } from '../tap/resolve.ts';
import { UsageError, UserError } from '../util/error.ts';

/**
 * The command `off`: gives back the Services that it is given, or every tapped one. One that fails does
 * not keep the others.
 */
export async function off(args: string[], flags: Flags<'off'>): Promise<void> {
  refuseContradictions(args, flags);
  const kubectl = new Kubectl(connectionOf(flags));
  const bench = benchOf(kubectl, flags);
  const located = flags.all
    ? await findTapped(kubectl, flags)
    : await Promise.all(args.map((argument) => locate(connectionOf(flags), argument)));
  const failed: string[] = [];
  for (const { kubectl, name } of located) {
    try {
      const there = await endTap({ ...bench, kubectl }, name);
      bench.talk.say(there ? `${name} is as it was` : `${name} is not tapped`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (located.length === 1) throw error;
      bench.talk.say(`error: ${name}: ${error.message}`);
      failed.push(name);
    }
  }
  if (located.length === 0) bench.talk.say('no Service is tapped');
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
async function findTapped(kubectl: Kubectl, flags: Flags<'off'>): Promise<Located[]> {
  const everywhere = flags['all-namespaces'] ? ['--all-namespaces'] : [];
  const tapped = (await findTaps(kubectl, everywhere)).map((service) => ({
    namespace: service.metadata.namespace,
    name: subjectName(service),
  }));
  const found = new Map<string, Located>();
  for (const { namespace, name } of [...tapped, ...(await servicesOfProxies(kubectl, everywhere))])
    found.set(`${namespace} ${name}`, { kubectl: kubectl.in(namespace), name });
  return [...found.values()];
}

import type { Flags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
import { targetId } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import { type Context, createContext, inNamespace } from '../tap/context.ts';
import { findTaps } from '../tap/find.ts';
import { findServicesOfProxies } from '../tap/remains.ts';
import { resolve, type Target } from '../tap/resolve.ts';
import { describeError, UsageError, UserError } from '../util/error.ts';
import { message } from '../util/message.ts';

/** The command `off`: restores the Services that it is given, or all tapped ones. Goes on when one of them fails. */
export async function off(args: string[], flags: Flags<'off'>): Promise<void> {
  refuseContradictions(args, flags);
  const context = createContext(flags);
  const targets = flags.all
    ? await findAll(context, flags)
    : await Promise.all(args.map((argument) => resolve(context, argument)));
  const failed: string[] = [];
  for (const { context, id } of targets) {
    try {
      const there = await endTap(context, id);
      context.log.say(there ? `${id} is restored` : `${id} is not tapped`);
    } catch (error) {
      if (!(error instanceof UserError) || targets.length === 1) throw error;
      context.log.say(describeError(error, id));
      failed.push(id);
    }
  }
  if (targets.length === 0) context.log.say('no Service is tapped');
  if (failed.length > 0) throw new UserError(`not restored: ${failed.join(', ')}`);
}

function refuseContradictions(args: string[], flags: Flags<'off'>): void {
  if (flags.all && args.length > 0) throw new UsageError('either --all or names, not both');
  if (!flags.all && args.length === 0)
    throw new UsageError(
      'off needs an argument: SERVICE, or --all',
      message`list the taps: ${mittensCommand('list', [])}\nor end all of them: ${mittensCommand('off', [], { all: true })}`,
    );
  if (!flags['all-namespaces']) return;
  if (!flags.all) throw new UsageError('--all-namespaces goes with --all');
  if (flags.namespace) throw new UsageError('either --namespace or --all-namespaces, not both');
}

/** Everything that is tapped, by this tool or an older one, and everything that still has a proxy. */
async function findAll(context: Context, flags: Flags<'off'>): Promise<Target[]> {
  const everywhere = flags['all-namespaces'] ? ['--all-namespaces'] : [];
  const tapped = (await findTaps(context.kubectl, everywhere)).map((service) => ({
    namespace: service.metadata.namespace,
    name: targetId(service),
  }));
  const found = new Map<string, Target>();
  const left = await findServicesOfProxies(context.kubectl, everywhere);
  for (const { namespace, name } of [...tapped, ...left])
    found.set(`${namespace} ${name}`, { context: inNamespace(context, namespace), id: name });
  return [...found.values()];
}

import { isAbandoned } from '../capture/abandoned.ts';
import type { Flags } from '../cli/flags.ts';
import type { Service } from '../kube/objects.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import { targetId } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import { type Context, createContext, inNamespace } from '../tap/context.ts';
import { findTaps } from '../tap/find.ts';
import { describeError, UsageError, UserError } from '../util/error.ts';
import { parseDuration } from '../util/parse.ts';
import { formatAge } from '../util/units.ts';

/**
 * The command `gc`: restores the Services whose capture died, and with `--older-than` every tap of that age. Goes on
 * when one of them fails.
 */
export async function gc(flags: Flags<'gc'>): Promise<void> {
  if (flags['all-namespaces'] && flags.namespace)
    throw new UsageError('either --namespace or --all-namespaces, not both');
  const oldest = flags['older-than'] === undefined ? undefined : parseDuration(flags['older-than']);
  const context = createContext(flags);
  const everywhere = flags['all-namespaces'] ? ['--all-namespaces'] : [];
  const services = await findTaps(context.kubectl, everywhere);
  const failed: string[] = [];
  let found = 0;
  for (const service of services) {
    const { namespace } = service.metadata;
    const name = targetId(service);
    try {
      const here = inNamespace(context, namespace);
      const why = await explainWhyOver(here, service, oldest);
      if (!why) continue;
      found++;
      context.log.say(`${name} in ${namespace} ${why}`);
      if (!flags['dry-run']) await endTap(here, name, parseRecord(service)?.id);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      context.log.say(describeError(error, `${name} in ${namespace}`));
      failed.push(name);
    }
  }
  if (found === 0 && failed.length === 0) context.log.say('no tap is left over');
  if (failed.length > 0) throw new UserError(`not restored: ${failed.join(', ')}`);
}

/** The reason to restore a Service, for the log; undefined when there is none. */
async function explainWhyOver(
  { kubectl }: Context,
  service: Service,
  oldest: number | undefined,
): Promise<string | undefined> {
  const record = parseRecord(service);
  if (!record) return undefined;
  const ms = Date.now() - Date.parse(record.started);
  if (oldest !== undefined && ms >= oldest * 1000)
    return `has been tapped for ${formatAge(ms)}, ${formatOwner(record)}`;
  if (await isAbandoned({ kubectl, service, record })) return `was left tapped, ${formatOwner(record)}`;
  return undefined;
}

function formatOwner({ owner, started }: TapRecord): string {
  return `by ${owner} since ${started}`;
}

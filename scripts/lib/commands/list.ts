import type { Flags } from '../cli/flags.ts';
import { Kubectl, toConnection } from '../kube/kubectl.ts';
import { containerStatus, type Pod, type Service, type Workload } from '../kube/objects.ts';
import type { TapRecord } from '../plan/record.ts';
import { findTaps } from '../tap/find.ts';
import { UsageError, UserError } from '../util/error.ts';
import { printable } from '../util/log.ts';
import { printTable } from '../util/table.ts';
import { formatAge } from '../util/units.ts';
import { type Backends, parseReadableRecord, summarize, type TapSummary } from './tap-summary.ts';

/** The command `list`: prints the taps of a namespace, or of all. */
export async function list(flags: Flags<'list'>): Promise<void> {
  if (flags.output && !['wide', 'json', 'name'].includes(flags.output)) {
    throw new UsageError(`unknown output format "${flags.output}"`, 'wide, json or name');
  }
  if (flags['all-namespaces'] && flags.namespace) {
    throw new UsageError('either --namespace or --all-namespaces, not both');
  }
  const kubectl = new Kubectl(toConnection(flags));
  const taps = await readTaps(kubectl, flags['all-namespaces'] ?? false);
  if (flags.output === 'json')
    process.stdout.write(`${JSON.stringify({ kind: 'TapList', items: taps }, null, 2)}\n`);
  else if (taps.length === 0) await printNoTaps(kubectl, flags);
  else if (flags.output === 'name')
    for (const { service } of taps)
      process.stdout.write(`${service.includes('/') ? service : `service/${service}`}\n`);
  else printTable(process.stdout, toRows(taps, flags));
  if (flags.output === 'wide') await printHistory(kubectl, flags['all-namespaces'] ?? false);
}

/** Two calls of kubectl find the taps. Their backends take up to two more for each namespace that has taps. */
async function readTaps(kubectl: Kubectl, everywhere: boolean): Promise<TapSummary[]> {
  const tapped = await findTaps(kubectl, everywhere ? ['--all-namespaces'] : []);
  const namespaces = [...new Set(tapped.map(({ metadata }) => metadata.namespace))];
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const here = tapped.filter(({ metadata }) => metadata.namespace === namespace);
      const behind = await readBackends(kubectl.in(namespace), here).catch(printUnread);
      return here.map((service) => summarize(service, behind));
    }),
  );
  return lists.flat();
}

/** Prints an error of one namespace and goes on with the others. Sets the exit code, as kubectl does. */
function printUnread(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${printable(error.message)}\n`);
  process.exitCode = 1;
  return undefined;
}

async function readBackends(kubectl: Kubectl, services: Service[]): Promise<Backends> {
  const records = services.map(parseReadableRecord).filter((record) => record !== undefined);
  const [workloads, pods] = await Promise.all([
    readWorkloads(
      kubectl,
      records.filter(({ mode }) => mode === 'sidecar'),
    ),
    records.some(({ mode }) => mode === 'ephemeral') ? kubectl.list<Pod>(['pods']) : [],
  ]);
  return { workloads, pods };
}

async function readWorkloads(kubectl: Kubectl, records: TapRecord[]): Promise<Workload[]> {
  const names = [...new Set(records.flatMap(({ workloads }) => workloads))];
  if (names.length === 0) return [];
  // kubectl prints one object as itself, several as a List.
  const text = await kubectl.run(['get', ...names, '--ignore-not-found', '-o', 'json']);
  const found = text ? (JSON.parse(text) as Workload | { items: Workload[] }) : { items: [] };
  return 'items' in found ? found.items : [found];
}

/** Notes pods with ephemeral containers that have ended: Kubernetes can't remove these. */
async function printHistory(kubectl: Kubectl, everywhere: boolean): Promise<void> {
  const pods = await kubectl.list<Pod>(['pods', ...(everywhere ? ['--all-namespaces'] : [])]);
  const ended = pods.filter((pod) =>
    pod.spec.ephemeralContainers?.some(
      ({ name }) => name.startsWith('mittens-') && containerStatus(pod, name)?.state?.terminated,
    ),
  );
  if (ended.length === 0) return;
  const names = ended.map(({ metadata }) => `pod/${metadata.name}`).join(', ');
  process.stderr.write(
    `${printable(`note: proxies that have ended are in the history of ${names}, until the pods are replaced`)}\n`,
  );
}

async function printNoTaps(kubectl: Kubectl, flags: Flags<'list'>): Promise<void> {
  const where = flags['all-namespaces'] ? '' : ` in ${await kubectl.namespace()} namespace`;
  process.stderr.write(`No taps found${where}.\n`);
}

function toRows(taps: TapSummary[], flags: Flags<'list'>): string[][] {
  const wide = flags.output === 'wide';
  const header = ['SERVICE', 'PORTS', 'WORKLOAD', 'PODS', 'MODE', 'OWNER', 'AGE', 'STATE'];
  const rows = taps.map((tap) => [
    ...(flags['all-namespaces'] ? [tap.namespace] : []),
    tap.service,
    tap.ports.map(({ port }) => port).join(',') || '<none>',
    tap.workloads.join(',') || '<none>',
    `${tap.pods.ready}/${tap.pods.wanted}`,
    tap.mode || '<none>',
    tap.owner || '<unknown>',
    tap.started ? formatAge(Date.now() - Date.parse(tap.started)) : '<unknown>',
    tap.state,
    ...(wide
      ? [
          tap.program || '<unknown>',
          tap.id || '<none>',
          tap.ports.map((port) => `${port.targetPort}<-${port.listenPort}`).join(',') || '<none>',
        ]
      : []),
  ]);
  return [
    [
      ...(flags['all-namespaces'] ? ['NAMESPACE'] : []),
      ...header,
      ...(wide ? ['PROGRAM', 'ID', 'TARGETS'] : []),
    ],
    ...rows,
  ];
}

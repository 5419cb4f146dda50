import {
  hasContainerNamed,
  type Pod,
  type Service,
  type ServicePort,
  type Workload,
} from '../kube/objects.ts';
import { waitForRollout } from '../kube/rollout.ts';
import { findWorkloads, hasContainer, workloadName } from '../kube/workload.ts';
import type { LegacyTool } from '../plan/legacy.ts';
import { originalSelector } from '../plan/pod-label.ts';
import type { Context } from './context.ts';

// The proxies of both tools always listen there.
const PROXY_PORT = 7777;
// The Go mittens sets this annotation, and does not record whether it was there before.
const FLUX_ANNOTATION = 'helm.toolkit.fluxcd.io/driftDetection';

/** Removes the tap of an older tool: restores the Service, and removes the container, its volumes and ConfigMap. */
export async function removeLegacyTap(context: Context, service: Service, tool: LegacyTool): Promise<void> {
  const { kubectl, templates, log } = context;
  const { name, resourceVersion } = service.metadata;
  const annotations = { [`${tool}.io/original-port`]: null };
  const values = { resourceVersion, annotations, ports: restorePorts(service, tool) };
  await kubectl.patch(`service/${name}`, 'merge', templates.render('legacy-service', values));
  log.say(`service/${name} is restored from the tap of ${tool}`);
  if (tool === 'mittens' && service.metadata.annotations?.[FLUX_ANNOTATION] === 'disabled') {
    log.say(`note: ${FLUX_ANNOTATION} is still disabled on it, by you or by ${tool}`);
  }
  const workloads = await findWorkloads(kubectl, originalSelector(service));
  for (const workload of workloads.filter((workload) => hasContainer(workload, tool)))
    await removeLegacyProxy(context, workload, tool);
}

async function removeLegacyProxy(
  { kubectl, templates, log, timeout }: Context,
  workload: Workload,
  tool: LegacyTool,
): Promise<void> {
  const patch = templates.render('legacy-workload', workloadValues(workload, tool));
  const patched = await kubectl.patch<Workload>(workloadName(workload), 'strategic', patch);
  const isNew = (pod: Pod) => !hasContainerNamed(pod, tool);
  await waitForRollout(kubectl, patched, { log, timeout, isNew });
  await kubectl.run(['delete', `configmap/${tool}-target-${workload.metadata.name}`, '--ignore-not-found']);
}

function restorePorts(service: Service, tool: LegacyTool): ServicePort[] {
  const original = service.metadata.annotations?.[`${tool}.io/original-port`] ?? '';
  const targetPort = /^\d+$/.test(original) ? Number(original) : original;
  return (service.spec.ports ?? [])
    .filter(({ name }) => name !== `${tool}-web`)
    .map(({ name, ...port }) => ({
      // The tool names a port that has no name.
      ...(name && name !== `${tool}-listen` && { name }),
      ...port,
      ...(port.targetPort === PROXY_PORT && { targetPort }),
    }));
}

function workloadValues(workload: Workload, tool: LegacyTool): Record<string, unknown> {
  const volumes = workload.spec.template.spec.volumes ?? [];
  return {
    container: tool,
    annotations: { [`${tool}.io/tapped`]: null },
    volumes: volumes
      .filter(({ name }) => name.startsWith(tool))
      .map(({ name }) => ({ name, $patch: 'delete' })),
  };
}

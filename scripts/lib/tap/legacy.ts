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
export async function removeLegacyTap(
  context: Context,
  service: Service,
  ancestor: LegacyTool,
): Promise<void> {
  const { kubectl, templates, log, timeout } = context;
  const { name, resourceVersion } = service.metadata;
  await kubectl.patch(
    `service/${name}`,
    'merge',
    templates.render('ancestor-service', {
      resourceVersion,
      annotations: { [`${ancestor}.io/original-port`]: null },
      ports: restorePorts(service, ancestor),
    }),
  );
  log.say(`service/${name} is restored from the tap of ${ancestor}`);
  if (ancestor === 'mittens' && service.metadata.annotations?.[FLUX_ANNOTATION] === 'disabled') {
    log.say(`note: ${FLUX_ANNOTATION} is still disabled on it, by you or by ${ancestor}`);
  }
  const tapped = (await findWorkloads(kubectl, originalSelector(service))).filter((workload) =>
    hasContainer(workload, ancestor),
  );
  for (const workload of tapped) {
    const patched = await kubectl.patch<Workload>(
      workloadName(workload),
      'strategic',
      templates.render('ancestor-workload', workloadValues(workload, ancestor)),
    );
    const isNew = (pod: Pod) => !hasContainerNamed(pod, ancestor);
    await waitForRollout(kubectl, patched, { log, timeout, isNew });
    await kubectl.run([
      'delete',
      `configmap/${ancestor}-target-${workload.metadata.name}`,
      '--ignore-not-found',
    ]);
  }
}

function restorePorts(service: Service, ancestor: LegacyTool): ServicePort[] {
  const original = service.metadata.annotations?.[`${ancestor}.io/original-port`] ?? '';
  const targetPort = /^\d+$/.test(original) ? Number(original) : original;
  return (service.spec.ports ?? [])
    .filter(({ name }) => name !== `${ancestor}-web`)
    .map(({ name, ...port }) => ({
      // The tool names a port that has no name.
      ...(name && name !== `${ancestor}-listen` && { name }),
      ...port,
      ...(port.targetPort === PROXY_PORT && { targetPort }),
    }));
}

function workloadValues(workload: Workload, ancestor: LegacyTool): Record<string, unknown> {
  const volumes = workload.spec.template.spec.volumes ?? [];
  return {
    container: ancestor,
    annotations: { [`${ancestor}.io/tapped`]: null },
    volumes: volumes
      .filter(({ name }) => name.startsWith(ancestor))
      .map(({ name }) => ({ name, $patch: 'delete' })),
  };
}

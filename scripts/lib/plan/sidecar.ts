import type { Workload } from '../kube/objects.ts';
import { workloadName } from '../kube/workload.ts';
import type { Templates, Values } from '../util/template.ts';
import { proxyResources, proxyValues } from './container.ts';
import { paths } from './pod-contract.ts';
import { type PodGroup, portsFlag, refuseTakenPorts, withPorts } from './ports.ts';
import type { TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';

/**
 * The patch that puts the proxy into a workload's pods.
 * @throws UserError when another container uses a port that the record gives to the proxy.
 */
export function sidecarPatch(
  workload: Workload,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): unknown {
  const pods = podGroupFromWorkload(workload);
  refuseTakenPorts(pods, record);
  const { container } = record;
  const apps = pods.spec.containers.filter(({ name }) => name !== container);
  const secrets = listSecretSources(record);
  const mounts =
    secrets.length > 0 ? [{ name: container, mountPath: paths.certificates, readOnly: true }] : [];
  return templates.render('sidecar', {
    ...proxyValues(pods, record, request, templates),
    ...(request.addsPorts && keptValues(pods, record)),
    resourceVersion: workload.metadata.resourceVersion,
    order: [...apps.map(({ name }) => ({ name })), { name: container }],
    ports: record.ports.map(({ listenPort }) => ({ containerPort: listenPort, protocol: 'TCP' })),
    healthPort: record.health,
    resources: proxyResources(request),
    mounts,
    volumes: secrets.length > 0 ? [templates.render('certificates', { container, secrets })] : [],
  });
}

/** The values that the proxy of a tap keeps when ports are added. The merge keeps the files that were sent. */
function keptValues(pods: PodGroup, record: TapRecord): Values {
  const current = pods.spec.containers.find(({ name }) => name === record.container);
  if (!current) return {};
  const { image, imagePullPolicy, args = [] } = current;
  return { image, imagePullPolicy, args: withPorts(args, portsFlag(pods, record)) };
}

/** The patch that takes the proxy out of a workload's pods. */
export function sidecarRemovePatch(workload: Workload, container: string, templates: Templates): unknown {
  const volumes = workload.spec.template.spec.volumes ?? [];
  const ours = volumes
    .filter(({ name }) => name === container)
    .map(({ name }) => ({ name, $patch: 'delete' }));
  return templates.render('sidecar-remove', { container, volumes: ours });
}

/** The pods of a workload, from its template. */
export function podGroupFromWorkload(workload: Workload): PodGroup {
  return { owner: workloadName(workload), spec: workload.spec.template.spec };
}

/** The sources of a projected volume. Each Secret has its own folder, where templates/start.sh looks. */
function listSecretSources({ tlsSecret, clientTlsSecret }: TapRecord): object[] {
  const source = (name: string, folder: string) => ({
    secret: { name, items: ['tls.crt', 'tls.key'].map((key) => ({ key, path: `${folder}/${key}` })) },
  });
  return [
    ...(tlsSecret ? [source(tlsSecret, 'tls')] : []),
    ...(clientTlsSecret ? [source(clientTlsSecret, 'client')] : []),
  ];
}

import { type Container, containerStatus, type Pod } from '../kube/objects.ts';
import { UserError } from '../util/error.ts';
import type { Templates } from '../util/template.ts';
import { proxyValues } from './container.ts';
import { paths } from './pod-contract.ts';
import { type PodGroup, portsFlag, withPorts } from './ports.ts';
import type { TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';

/** An ephemeral container, as the API has it. */
export interface EphemeralContainer extends Container {
  volumeMounts?: { name: string; mountPath: string; readOnly: boolean }[];
}

/** The group of a single pod. Leaves out ephemeral containers that have ended: their ports are free. */
export function podGroupFromPod(pod: Pod): PodGroup {
  const { metadata, spec } = pod;
  const ephemeralContainers = spec.ephemeralContainers?.filter(
    ({ name }) => !containerStatus(pod, name)?.state?.terminated,
  );
  return {
    owner: `pod/${metadata.name}`,
    spec: { ...spec, ...(ephemeralContainers && { ephemeralContainers }) },
  };
}

/**
 * The proxy as an ephemeral container of a pod.
 * @throws UserError when the pod lacks a named port, or a volume with a Secret of the request.
 */
export function planEphemeralContainer(
  pod: Pod,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): EphemeralContainer {
  const values = proxyValues(podGroupFromPod(pod), record, request, templates);
  return templates.render('ephemeral', { ...values, mounts: findMounts(pod, record) }) as EphemeralContainer;
}

/** Copies a proxy for another pod, whose ports and volumes may have other numbers and names. */
export function copyForPod(container: EphemeralContainer, pod: Pod, record: TapRecord): EphemeralContainer {
  const ports = portsFlag(podGroupFromPod(pod), record);
  return {
    ...container,
    args: withPorts(container.args ?? [], ports),
    volumeMounts: findMounts(pod, record),
  };
}

/** A running pod takes no more volumes, so only Secrets that it already has can be mounted. */
function findMounts({ metadata, spec }: Pod, { tlsSecret, clientTlsSecret }: TapRecord) {
  const mount = (name: string, folder: string) => {
    const volume = spec.volumes?.find(({ secret }) => secret?.secretName === name);
    if (volume) return { name: volume.name, mountPath: `${paths.certificates}/${folder}`, readOnly: true };
    throw new UserError(
      `pod/${metadata.name} has no volume with secret/${name}, and a running pod can't get one`,
      {
        hint: 'leave out --no-restart; the proxy then has its own',
      },
    );
  };
  return [
    ...(tlsSecret ? [mount(tlsSecret, 'tls')] : []),
    ...(clientTlsSecret ? [mount(clientTlsSecret, 'client')] : []),
  ];
}

import type { KubeObject } from '../objects/object.ts';

// biome-ignore lint/suspicious/noExplicitAny: as in KubeObject
type Fields = Record<string, any>;

/** Sets a pod's defaults in place, including those of admission plugins. */
export function setPodDefaults(pod: KubeObject): void {
  pod.spec ??= {};
  const { spec } = pod;
  fillPodSpec(spec);
  for (const { resources } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])])
    if (resources.limits) resources.requests = { ...resources.limits, ...resources.requests };
  spec.enableServiceLinks ??= true;
  spec.serviceAccountName ||= 'default';
  spec.serviceAccount = spec.serviceAccountName;
  spec.priority ??= 0;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
  spec.tolerations ??= [];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    if (!spec.tolerations.some((toleration: Fields) => (toleration.key ?? key) === key))
      spec.tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
}

/** Sets the defaults of a pod's or a template's spec in place. */
export function fillPodSpec(spec: Fields): void {
  spec.restartPolicy ??= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  // As the API server does: a negative value means 1.
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.schedulerName ??= 'default-scheduler';
  spec.securityContext ??= {};
  // The deprecated alias of the field.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])])
    fillContainer(container, spec.hostNetwork === true);
  for (const container of spec.ephemeralContainers ?? []) fillContainer(container, false);
  for (const volume of spec.volumes ?? []) fillVolume(volume);
}

function fillContainer(container: Fields, hostNetwork: boolean): void {
  container.imagePullPolicy ??= pullPolicy(container.image ?? '');
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  container.resources ??= {};
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP';
    if (hostNetwork) port.hostPort ??= port.containerPort;
  }
  for (const { valueFrom } of container.env ?? [])
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ??= 'v1';
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe) fillProbe(probe);
  fillHttp(container.lifecycle?.preStop?.httpGet);
}

function fillProbe(probe: Fields): void {
  // Zero means the default.
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  fillHttp(probe.httpGet);
}

function fillHttp(get: Fields | undefined): void {
  if (!get) return;
  get.path ||= '/';
  get.scheme ||= 'HTTP';
}

function fillVolume(volume: Fields): void {
  const { configMap, secret, projected } = volume;
  if (!configMap && !secret && !projected) volume.emptyDir ??= {};
  for (const files of [configMap, secret, projected]) if (files) files.defaultMode ??= 0o644;
}

/** An image without a tag has the tag latest, which may change. */
function pullPolicy(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

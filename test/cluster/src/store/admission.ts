import { findResource } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { forbidden, invalid, notFound } from '../objects/status.ts';
import { findViolation } from './pod-security.ts';
import { findExceededQuota } from './quota.ts';
import type { Reader } from './reader.ts';

/** Admits a new object: checks it against other objects, and sets what depends on them. */
export function admit(reader: Reader, resource: Resource, object: KubeObject): void {
  if (resource.namespaced) admitNamespace(reader, resource, object);
  if (resource.plural === 'services') assignClusterIP(reader, resource, object);
  if (resource.plural === 'pods') admitPod(reader, resource, object);
}

/** Checks a pod's containers, including new ones, against its namespace's Pod Security Standard. */
export function admitSecurity(reader: Reader, resource: Resource, pod: KubeObject): void {
  const namespace = reader.find('namespaces', undefined, pod.metadata.namespace ?? '');
  const breach = namespace && findViolation(namespace, pod);
  if (breach) throw forbidden(resource, pod.metadata.name, breach);
}

function admitNamespace(reader: Reader, resource: Resource, { metadata }: KubeObject): void {
  const namespace = reader.find('namespaces', undefined, metadata.namespace ?? '');
  if (!namespace) throw notFound(findResource('namespaces'), metadata.namespace ?? '');
  if (namespace.metadata.deletionTimestamp) {
    const why = `unable to create new content in namespace ${metadata.namespace} because it is being terminated`;
    throw forbidden(resource, metadata.name, why);
  }
}

function admitPod(reader: Reader, resource: Resource, pod: KubeObject): void {
  pod.spec.serviceAccountName ??= 'default';
  pod.spec.serviceAccount ??= pod.spec.serviceAccountName;
  admitSecurity(reader, resource, pod);
  const quotas = reader.list('resourcequotas', pod.metadata.namespace);
  const refusal = findExceededQuota(quotas, reader.list('pods', pod.metadata.namespace), pod);
  if (refusal) throw forbidden(resource, pod.metadata.name, refusal);
}

/** Assigns a ClusterIP of 10.96.0.0/16, or checks the one that the Service asks for. */
function assignClusterIP(reader: Reader, resource: Resource, service: KubeObject): void {
  const { spec } = service;
  if (spec.type === 'ExternalName') return;
  const taken = new Set(reader.list('services').map(({ spec }) => spec.clusterIP));
  if (spec.clusterIP && spec.clusterIP !== 'None' && taken.has(spec.clusterIP)) {
    const message = `Invalid value: ${JSON.stringify([spec.clusterIP])}: failed to allocate IP ${spec.clusterIP}: provided IP is already allocated`;
    throw invalid(resource, service.metadata.name, [
      { reason: 'FieldValueInvalid', field: 'spec.clusterIPs', message },
    ]);
  }
  for (let number = 10; !spec.clusterIP; number++) {
    const ip = `10.96.${number >> 8}.${number & 255}`;
    if (!taken.has(ip)) spec.clusterIP = ip;
  }
  spec.clusterIPs ??= [spec.clusterIP];
}

import { isIPv4 } from 'node:net';
import type { KubeObject } from '../objects/object.ts';
import { type Cause, notImplemented } from '../objects/status.ts';
import {
  checkLabelMap,
  checkMetadata,
  checkSupported,
  duplicate,
  duplicates,
  forbiddenField,
  invalidValue,
  matching,
  named,
  portNumber,
  required,
} from './check.ts';
import { checkPort } from './container-validation.ts';
import { dns1035Label, dnsLabel, dnsSubdomain } from './names.ts';

type Spec = KubeObject['spec'];

/** Sets a Service's defaults in place, except the ClusterIP, which admission assigns. */
export function setServiceDefaults(service: KubeObject): void {
  service.spec ??= {};
  const { spec } = service;
  spec.type ||= 'ClusterIP';
  spec.sessionAffinity ||= 'None';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (spec.type === 'ExternalName') return;
  spec.internalTrafficPolicy ??= 'Cluster';
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
}

/** Validates a Service, or a change of one. */
export function validateService(service: KubeObject, old?: KubeObject): Cause[] {
  const { spec } = service;
  refuse(spec);
  const headless = spec.clusterIP === 'None';
  const external = spec.type === 'ExternalName';
  const noPorts = !spec.ports?.length && !headless && !external;
  return [
    ...checkMetadata(service, dns1035Label),
    ...checkSupported('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...(noPorts ? [required('spec.ports')] : []),
    ...checkPorts(spec.ports ?? [], 'spec.ports'),
    ...checkLabelMap(spec.selector ?? {}, 'spec.selector'),
    ...checkSupported('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']),
    ...(external ? checkExternal(spec) : []),
    ...checkClusterIP(spec, old?.spec),
  ];
}

function refuse({ type, sessionAffinity, internalTrafficPolicy, ipFamilies, ipFamilyPolicy }: Spec): void {
  if (type === 'NodePort' || type === 'LoadBalancer') throw notImplemented(`Services of type ${type}`);
  if (sessionAffinity === 'ClientIP') throw notImplemented('session affinity');
  if (internalTrafficPolicy === 'Local') throw notImplemented('internalTrafficPolicy Local');
  if (ipFamilies?.includes('IPv6') || (ipFamilyPolicy && ipFamilyPolicy !== 'SingleStack'))
    throw notImplemented('IPv6');
}

function checkPorts(ports: Spec[], path: string): Cause[] {
  const each = ports.flatMap((port, index) => checkServicePort(port, `${path}[${index}]`, ports.length > 1));
  const keys = ports.map(({ protocol, port }) => `${protocol}/${port}`);
  const twice = ports.flatMap(({ protocol, port }, index) =>
    keys.indexOf(`${protocol}/${port}`) < index ? [duplicate(`${path}[${index}]`, { protocol, port })] : [],
  );
  const names = ports.map(({ name }) => name);
  return [...each, ...duplicates(names, (index) => `${path}[${index}].name`), ...twice];
}

function checkServicePort(port: Spec, path: string, needsName: boolean): Cause[] {
  return [
    ...(needsName || port.name ? named(`${path}.name`, port.name, dnsLabel) : []),
    ...portNumber(`${path}.port`, port.port ?? 0),
    ...checkSupported(`${path}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']),
    ...checkPort(`${path}.targetPort`, port.targetPort ?? 0),
    ...(port.nodePort
      ? [forbiddenField(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'")]
      : []),
  ];
}

function checkExternal({ externalName, clusterIP }: Spec): Cause[] {
  const name = externalName?.replace(/\.$/, '');
  const ip = clusterIP && clusterIP !== 'None';
  return [
    ...(name ? matching('spec.externalName', name, dnsSubdomain) : [required('spec.externalName')]),
    ...(ip ? [forbiddenField('spec.clusterIPs', "may not be set when `type` is 'ExternalName'")] : []),
  ];
}

/** The ClusterIP is immutable, unless the Service was or becomes an ExternalName. */
function checkClusterIP({ clusterIP, type }: Spec, old: Spec | undefined): Cause[] {
  if (clusterIP && clusterIP !== 'None' && !isIPv4(clusterIP))
    return [
      invalidValue(
        'spec.clusterIPs[0]',
        clusterIP,
        'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ),
    ];
  const kept = !old?.clusterIP || old.clusterIP === clusterIP;
  if (kept || type === 'ExternalName' || old.type === 'ExternalName') return [];
  return [invalidValue('spec.clusterIPs[0]', [clusterIP ?? ''], 'may not change once set')];
}

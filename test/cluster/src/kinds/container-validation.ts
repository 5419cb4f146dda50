import type { KubeObject } from '../objects/object.ts';
import { parseQuantity } from '../objects/quantity.ts';
import type { Cause } from '../objects/status.ts';
import {
  atLeastZero,
  checkSupported,
  duplicates,
  forbiddenField,
  invalidValue,
  matching,
  named,
  portNumber,
  required,
} from './check.ts';
import { dnsLabel, envName, portName } from './names.ts';

type Container = KubeObject['spec'];

/** A container's probes. */
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/** Validates one container of a pod; `volumes` are the names of the pod's volumes. */
export function checkContainer(container: Container, path: string, volumes: string[]): Cause[] {
  return [
    ...named(`${path}.name`, container.name, dnsLabel),
    ...checkImage(container, path),
    ...checkResources(container.resources ?? {}, `${path}.resources`),
    ...checkPorts(container.ports ?? [], `${path}.ports`),
    ...(container.env ?? []).flatMap((env: Container, index: number) =>
      checkEnv(env, `${path}.env[${index}]`),
    ),
    ...checkMounts(container.volumeMounts ?? [], `${path}.volumeMounts`, volumes),
    ...PROBES.flatMap((name) => (container[name] ? checkProbe(container[name], `${path}.${name}`) : [])),
    ...PROBES.flatMap((name) => checkSuccesses(name, container[name], `${path}.${name}`)),
    ...(container.lifecycle?.preStop
      ? checkHandler(container.lifecycle.preStop, `${path}.lifecycle.preStop`, ['exec', 'httpGet', 'sleep'])
      : []),
    ...checkSupported(`${path}.imagePullPolicy`, container.imagePullPolicy, [
      'Always',
      'IfNotPresent',
      'Never',
    ]),
    ...checkSupported(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, [
      'FallbackToLogsOnError',
      'File',
    ]),
  ];
}

function checkResources({ requests = {}, limits = {} }: Container, path: string): Cause[] {
  return Object.entries(requests as Record<string, string>)
    .filter(([name, amount]) => limits[name] && parseQuantity(amount) > parseQuantity(limits[name]))
    .map(([name, amount]) =>
      invalidValue(`${path}.requests`, amount, `must be less than or equal to ${name} limit`),
    );
}

function checkImage({ image }: Container, path: string): Cause[] {
  if (!image) return [required(`${path}.image`)];
  if (image.trim() === image) return [];
  return [invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace')];
}

function checkPorts(ports: Container[], path: string): Cause[] {
  const each = ports.flatMap(({ name, containerPort, protocol }, index) => [
    ...(name ? matching(`${path}[${index}].name`, name, portName) : []),
    ...(containerPort
      ? portNumber(`${path}[${index}].containerPort`, containerPort)
      : [required(`${path}[${index}].containerPort`)]),
    ...checkSupported(`${path}[${index}].protocol`, protocol, ['SCTP', 'TCP', 'UDP']),
  ]);
  return [
    ...each,
    ...duplicates(
      ports.map(({ name }) => name),
      (index) => `${path}[${index}].name`,
    ),
  ];
}

function checkEnv({ name, value, valueFrom }: Container, path: string): Cause[] {
  const field = `${path}.valueFrom`;
  const which = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';
  return [
    ...named(`${path}.name`, name, envName),
    ...(valueFrom && !valueFrom.fieldRef ? [invalidValue(field, '', which)] : []),
    ...(valueFrom?.fieldRef && value
      ? [invalidValue(field, '', 'may not be specified when `value` is not empty')]
      : []),
  ];
}

function checkMounts(mounts: Container[], path: string, volumes: string[]): Cause[] {
  const paths = mounts.map(({ mountPath }) => mountPath);
  return mounts.flatMap(({ name, mountPath }, index) => {
    const field = `${path}[${index}]`;
    const twice = mountPath && paths.indexOf(mountPath) < index;
    return [
      ...(name ? [] : [required(`${field}.name`)]),
      ...(volumes.includes(name) ? [] : [notFoundValue(`${field}.name`, name ?? '')]),
      ...(mountPath ? [] : [required(`${field}.mountPath`)]),
      ...(twice ? [invalidValue(`${field}.mountPath`, mountPath, 'must be unique')] : []),
    ];
  });
}

export function notFoundValue(field: string, value: string): Cause {
  return { reason: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(value)}` };
}

function checkProbe(probe: Container, path: string): Cause[] {
  const times = [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ];
  return [
    ...checkHandler(probe, path, ['exec', 'httpGet', 'tcpSocket']),
    ...times.flatMap((time) => atLeastZero(`${path}.${time}`, probe[time])),
  ];
}

/** Only a readiness probe may need several successes. */
function checkSuccesses(name: string, probe: Container | undefined, path: string): Cause[] {
  const several = probe && name !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1;
  return several ? [invalidValue(`${path}.successThreshold`, probe.successThreshold, 'must be 1')] : [];
}

function checkHandler(handler: Container, path: string, types: string[]): Cause[] {
  const [type, ...more] = types.filter((type) => handler[type]);
  if (!type) return [required(path, 'must specify a handler type')];
  return [
    ...more.map((name) => forbiddenField(`${path}.${name}`, 'may not specify more than 1 handler type')),
    ...(type === 'httpGet' || type === 'tcpSocket'
      ? checkPort(`${path}.${type}.port`, handler[type].port ?? 0)
      : []),
    ...(type === 'exec' && !handler.exec.command?.length ? [required(`${path}.exec.command`)] : []),
  ];
}

/** Validates a port's number or name. */
export function checkPort(field: string, port: number | string): Cause[] {
  return typeof port === 'number' ? portNumber(field, port) : matching(field, port, portName);
}

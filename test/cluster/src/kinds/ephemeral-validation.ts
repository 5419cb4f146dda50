import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../objects/object.ts';
import type { Cause } from '../objects/status.ts';
import { duplicate, forbiddenField } from './check.ts';
import { checkContainer, notFoundValue } from './container-validation.ts';

type Spec = KubeObject['spec'];

/** Fields that an ephemeral container may not have, because nothing may depend on it. */
const FORBIDDEN = [
  'ports',
  'resources',
  'restartPolicy',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
];
const WHY = 'cannot be set for an Ephemeral Container';

/** Validates a pod's ephemeral containers; `volumes` are the names of the pod's volumes. */
export function checkEphemeral(spec: Spec, path: string, volumes: string[]): Cause[] {
  const { ephemeralContainers = [], containers = [], initContainers = [] } = spec;
  const others: string[] = [...containers, ...initContainers].map(({ name }) => name);
  const names: string[] = ephemeralContainers.map(({ name }: Spec) => name);
  return ephemeralContainers.flatMap((container: Spec, index: number) => {
    const field = `${path}[${index}]`;
    const { name, targetContainerName: target } = container;
    const isTaken = name && (others.includes(name) || names.indexOf(name) < index);
    return [
      ...checkContainer(container, field, volumes),
      ...(isTaken ? [duplicate(`${field}.name`, name)] : []),
      ...(target && !others.includes(target) ? [notFoundValue(`${field}.targetContainerName`, target)] : []),
      ...FORBIDDEN.filter((name) => isSet(container[name])).map((name) =>
        forbiddenField(`${field}.${name}`, WHY),
      ),
      ...(container.volumeMounts ?? []).flatMap(({ subPath }: Spec, mount: number) =>
        subPath ? [forbiddenField(`${field}.volumeMounts[${mount}].subPath`, WHY)] : [],
      ),
    ];
  });
}

/** Whether a field was set by the user, and not by the defaults. */
function isSet(value: unknown): boolean {
  return Object.keys(value ?? {}).length > 0;
}

/** Validates a change of a pod's ephemeral containers: they may only be added. */
export function checkAdditions(spec: Spec, old: Spec): Cause[] {
  const field = 'spec.ephemeralContainers';
  return (old.ephemeralContainers ?? []).flatMap((before: Spec) => {
    const after = (spec.ephemeralContainers ?? []).find(({ name }: Spec) => name === before.name);
    if (!after)
      return [
        forbiddenField(
          field,
          `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`,
        ),
      ];
    if (isDeepStrictEqual(after, before)) return [];
    // Kubernetes adds a diff of Go structs here.
    const why = `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`;
    return [forbiddenField(field, why)];
  });
}

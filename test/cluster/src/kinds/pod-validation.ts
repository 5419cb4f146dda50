import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../objects/object.ts';
import type { Part } from '../objects/resource.ts';
import type { Cause } from '../objects/status.ts';
import {
  checkLabelMap,
  checkMetadata,
  checkSupported,
  duplicate,
  duplicates,
  forbiddenField,
  named,
  required,
} from './check.ts';
import { checkContainer } from './container-validation.ts';
import { checkAdditions, checkEphemeral } from './ephemeral-validation.ts';
import { dnsLabel } from './names.ts';

type Spec = KubeObject['spec'];

/** Validates a pod, or a change of one or of its subresource. */
export function validatePod(pod: KubeObject, old?: KubeObject, part?: Part): Cause[] {
  const causes = [...checkMetadata(pod), ...checkPodSpec(pod.spec ?? {}, 'spec')];
  if (old && part === 'ephemeralcontainers') return [...causes, ...checkAdditions(pod.spec, old.spec)];
  if (!old && pod.spec?.ephemeralContainers?.length > 0)
    return [...causes, forbiddenField('spec.ephemeralContainers', 'cannot be set on create')];
  if (old && old.spec.containers.length !== pod.spec.containers?.length)
    return [...causes, forbiddenField('spec.containers', 'pod updates may not add or remove containers')];
  if (!old || isDeepStrictEqual(fixed(pod.spec), fixed(old.spec, pod.spec))) return causes;
  return [...causes, forbiddenField('spec', UPDATES)];
}

const UPDATES =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** Validates a change of a pod's spec: few fields may change; the scheduler sets the node once. */
function fixed(spec: Spec, next: Spec = {}): object {
  const withoutImage = ({ image: _image, ...container }: Spec) => container;
  const { tolerations: _tolerations, containers = [], initContainers = [], nodeName, ...rest } = spec;
  return {
    ...rest,
    nodeName: nodeName || next.nodeName,
    containers: containers.map(withoutImage),
    initContainers: initContainers.map(withoutImage),
  };
}

/** Validates a pod's or a template's spec. */
export function checkPodSpec(spec: Spec, path: string, policies = ['Always', 'OnFailure', 'Never']): Cause[] {
  const { containers = [], initContainers = [], volumes = [], restartPolicy } = spec;
  const names: string[] = volumes.map(({ name }: Spec) => name);
  const each = (list: Spec[], field: string) =>
    list.flatMap((container, index) => checkContainer(container, `${path}.${field}[${index}]`, names));
  return [
    ...checkVolumes(volumes, `${path}.volumes`),
    ...(containers.length > 0 ? each(containers, 'containers') : [required(`${path}.containers`)]),
    ...containers.flatMap(({ restartPolicy }: Spec, index: number) =>
      restartPolicy
        ? [
            forbiddenField(
              `${path}.containers[${index}].restartPolicy`,
              'may not be set for non-init containers',
            ),
          ]
        : [],
    ),
    ...each(initContainers, 'initContainers'),
    ...initContainers.flatMap((container: Spec, index: number) =>
      checkInit(container, `${path}.initContainers[${index}]`),
    ),
    ...checkNames(containers, initContainers, path),
    ...checkEphemeral(spec, `${path}.ephemeralContainers`, names),
    ...checkHostPorts(containers, path),
    ...checkSupported(`${path}.restartPolicy`, restartPolicy, policies),
    ...checkSupported(`${path}.dnsPolicy`, spec.dnsPolicy, [
      'ClusterFirst',
      'ClusterFirstWithHostNet',
      'Default',
      'None',
    ]),
    ...checkLabelMap(spec.nodeSelector ?? {}, `${path}.nodeSelector`),
  ];
}

/** An init container may have probes and hooks only if it is a sidecar. */
function checkInit(container: Spec, path: string): Cause[] {
  const { restartPolicy } = container;
  if (restartPolicy) return checkSupported(`${path}.restartPolicy`, restartPolicy, ['Always']);
  const later = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'];
  const why = 'may not be set for init containers without restartPolicy=Always';
  return later.filter((field) => container[field]).map((field) => forbiddenField(`${path}.${field}`, why));
}

function checkNames(containers: Spec[], initContainers: Spec[], path: string): Cause[] {
  const own = containers.map(({ name }) => name);
  const inits = initContainers.map(({ name }) => name);
  return [
    ...duplicates(own, (index) => `${path}.containers[${index}].name`),
    ...inits.flatMap((name, index) =>
      name && (own.includes(name) || inits.indexOf(name) < index)
        ? [duplicate(`${path}.initContainers[${index}].name`, name)]
        : [],
    ),
  ];
}

/** Two containers of a pod cannot use the same port of the node. */
function checkHostPorts(containers: Spec[], path: string): Cause[] {
  const ports = containers.flatMap(({ ports = [] }, container) =>
    (ports as Spec[]).map(({ protocol, hostPort }, index) => ({
      key: hostPort ? `${protocol}//${hostPort}` : undefined,
      field: `${path}.containers[${container}].ports[${index}].hostPort`,
    })),
  );
  return duplicates(
    ports.map(({ key }) => key),
    (index) => ports[index]?.field ?? path,
  );
}

function checkVolumes(volumes: Spec[], path: string): Cause[] {
  const each = volumes.flatMap((volume, index) => checkVolume(volume, `${path}[${index}]`));
  return [
    ...each,
    ...duplicates(
      volumes.map(({ name }) => name),
      (index) => `${path}[${index}].name`,
    ),
  ];
}

function checkVolume(volume: Spec, path: string): Cause[] {
  const { name, configMap, secret, projected } = volume;
  const [type, ...more] = ['emptyDir', 'secret', 'configMap', 'projected'].filter((type) => volume[type]);
  const sources: Spec[] = projected?.sources ?? [];
  return [
    ...named(`${path}.name`, name, dnsLabel),
    ...more.map((type) => forbiddenField(`${path}.${type}`, 'may not specify more than 1 volume type')),
    ...(type === 'configMap' && !configMap.name ? [required(`${path}.configMap.name`)] : []),
    ...(type === 'secret' && !secret.secretName ? [required(`${path}.secret.secretName`)] : []),
    ...sources.flatMap(({ secret, configMap }, index) => {
      const source = `${path}.projected.sources[${index}]`;
      if (secret && !secret.name) return [required(`${source}.secret.name`)];
      return configMap && !configMap.name ? [required(`${source}.configMap.name`)] : [];
    }),
  ];
}

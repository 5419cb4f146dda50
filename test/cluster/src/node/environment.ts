import type { ContainerSpec } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';

interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { fieldPath: string };
    configMapKeyRef?: KeyRef;
    secretKeyRef?: KeyRef;
  };
}

interface KeyRef {
  name: string;
  key: string;
  optional?: boolean;
}

/** What a container waits for, in kubelet's words: CreateContainerConfigError. */
export class ConfigError extends Error {}

/**
 * A container's environment: the Services of its namespace, envFrom, then env in its order.
 * @throws ConfigError when a ConfigMap, a Secret or a key is not there.
 */
export function makeEnvironment(
  registry: Registry,
  pod: KubeObject,
  container: ContainerSpec,
): Record<string, string> {
  const environment: Record<string, string> = {
    ...{ KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' },
    ...(pod.spec.enableServiceLinks !== false && serviceLinks(registry, pod.metadata.namespace)),
  };
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef
      ? readData(registry, pod, 'configmaps', configMapRef)
      : readData(registry, pod, 'secrets', secretRef);
    for (const [key, value] of Object.entries(data ?? {})) environment[prefix + key] = value.toString();
  }
  for (const variable of (container.env ?? []) as EnvVar[]) {
    const value = variable.valueFrom
      ? valueFrom(registry, pod, variable.valueFrom)
      : expand(variable.value ?? '', environment);
    if (value !== undefined) environment[variable.name] = value;
  }
  return environment;
}

/** `$(NAME)` stands for a variable's value and `$$` for `$`; what is not known stays as it is. */
export function expand(text: string, environment: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (found, name: string) => {
    if (found === '$$') return '$';
    return Object.hasOwn(environment, name) ? (environment[name] ?? '') : found;
  });
}

function valueFrom(
  registry: Registry,
  pod: KubeObject,
  from: NonNullable<EnvVar['valueFrom']>,
): string | undefined {
  if (from.fieldRef) return readField(pod, from.fieldRef.fieldPath);
  const [plural, ref] = from.configMapKeyRef
    ? ['configmaps', from.configMapKeyRef]
    : ['secrets', from.secretKeyRef];
  if (!ref) return undefined;
  const data = readData(registry, pod, plural as 'secrets', ref);
  const value = data?.[ref.key];
  if (value === undefined && data && !ref.optional)
    throw new ConfigError(
      `couldn't find key ${ref.key} in ${toKind(plural as string)} ${pod.metadata.namespace}/${ref.name}`,
    );
  return value?.toString();
}

/** A field of the pod by the downward API's path. */
function readField(pod: KubeObject, path: string): string {
  const [, field, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (field && key) return pod.metadata[field as 'labels']?.[key] ?? '';
  const value = path.split('.').reduce((part, name) => part?.[name], pod);
  return String(value ?? '');
}

/**
 * The data of a ConfigMap or Secret, decoded; undefined when it is optional and not there.
 * @throws ConfigError when it is not there.
 */
export function readData(
  registry: Registry,
  { metadata: { namespace } }: KubeObject,
  plural: 'configmaps' | 'secrets',
  { name, optional }: { name: string; optional?: boolean | undefined },
): Record<string, Buffer> | undefined {
  const object = registry.find(plural, namespace, name);
  if (!object && !optional) throw new ConfigError(`${toKind(plural).toLowerCase()} "${name}" not found`);
  if (!object) return undefined;
  const encoding = plural === 'secrets' ? 'base64' : 'utf8';
  const decoded = Object.entries((object.data ?? {}) as Record<string, string>).map(([key, value]) => [
    key,
    Buffer.from(value, encoding),
  ]);
  const binary = Object.entries((object.binaryData ?? {}) as Record<string, string>).map(([key, value]) => [
    key,
    Buffer.from(value, 'base64'),
  ]);
  return Object.fromEntries([...decoded, ...binary]);
}

function toKind(plural: string): string {
  return plural === 'secrets' ? 'Secret' : 'ConfigMap';
}

/** `WEB_SERVICE_HOST` and `WEB_SERVICE_PORT` for each Service that has an address. */
function serviceLinks(registry: Registry, namespace: string | undefined): Record<string, string> {
  const services = registry
    .list('services', namespace)
    .filter(({ spec }) => spec.clusterIP && spec.clusterIP !== 'None');
  return Object.fromEntries(
    services.flatMap(({ metadata, spec }) => {
      const name = metadata.name.toUpperCase().replaceAll('-', '_');
      return [
        [`${name}_SERVICE_HOST`, spec.clusterIP],
        [`${name}_SERVICE_PORT`, String(spec.ports[0].port)],
        ...spec.ports
          .filter((port: { name?: string }) => port.name)
          .map((port: { name: string; port: number }) => [
            `${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`,
            String(port.port),
          ]),
      ];
    }),
  );
}

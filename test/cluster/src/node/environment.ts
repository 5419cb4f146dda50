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

/** Why a container cannot be configured yet; its reason is CreateContainerConfigError. */
export class ConfigError extends Error {}

/**
 * Makes a container's environment: Services of its namespace, then envFrom, then env in order.
 * @throws ConfigError when a ConfigMap, a Secret or a key is missing.
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

/** Replaces `$(NAME)` by a variable's value and `$$` by `$`; an unknown name stays as it is. */
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

/** Reads a field of the pod by its path in the downward API. */
function readField(pod: KubeObject, path: string): string {
  const [, field, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (field && key) return pod.metadata[field as 'labels']?.[key] ?? '';
  const value = path.split('.').reduce((part, name) => part?.[name], pod);
  return String(value ?? '');
}

/**
 * Reads and decodes the data of a ConfigMap or Secret; undefined if it is optional and missing.
 * @throws ConfigError when it is missing.
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

/** Makes `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT` and so on for each Service that has a ClusterIP. */
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

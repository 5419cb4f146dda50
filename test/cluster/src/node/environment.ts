import type { ContainerSpec } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';

interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef: { fieldPath: string } };
}

/** Makes a container's environment: Services of its namespace, then env in order. */
export function makeEnvironment(
  registry: Registry,
  pod: KubeObject,
  container: ContainerSpec,
): Record<string, string> {
  const environment: Record<string, string> = {
    ...{ KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' },
    ...(pod.spec.enableServiceLinks !== false && serviceLinks(registry, pod.metadata.namespace)),
  };
  for (const variable of (container.env ?? []) as EnvVar[]) {
    const { fieldRef } = variable.valueFrom ?? {};
    environment[variable.name] = fieldRef
      ? readField(pod, fieldRef.fieldPath)
      : expand(variable.value ?? '', environment);
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

/** Reads a field of the pod by its path in the downward API. */
function readField(pod: KubeObject, path: string): string {
  const [, field, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (field && key) return pod.metadata[field as 'labels']?.[key] ?? '';
  const value = path.split('.').reduce((part, name) => part?.[name], pod);
  return String(value ?? '');
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

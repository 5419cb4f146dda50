import { mittensCommand } from '../cli/to-run.ts';
import type { Pod, Service } from '../kube/objects.ts';
import type { CommandToRun } from '../util/message.ts';

/**
 * The target of a tap has the record: a Service, or a pod that is tapped on its own. A pod is read as a Service whose
 * ports are those that its containers declare.
 */

/** `service/web` or `pod/web-1`, as kubectl reads it. */
export function targetId({ kind, metadata }: Pick<Service, 'kind' | 'metadata'>): string {
  return `${kind.toLowerCase()}/${metadata.name}`;
}

/** A command of mittens on what is tapped, for a message. */
export function commandFor(command: 'on' | 'off' | 'attach', service: Service): CommandToRun {
  return mittensCommand(command, [formatArgument(service)], { namespace: service.metadata.namespace });
}

export function isPod({ kind }: Pick<Service, 'kind'>): boolean {
  return kind === 'Pod';
}

/** Reads a pod as a Service. Returns a Service as it is. */
export function toService(object: Service | Pod): Service {
  if (object.kind !== 'Pod') return object as Service;
  const { metadata, spec } = object as Pod;
  const ports = spec.containers.flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, name, protocol }) => ({
      port: containerPort,
      targetPort: containerPort,
      ...(name && { name }),
      ...(protocol && { protocol }),
    })),
  );
  return { kind: 'Pod', metadata, spec: { ports } };
}

/** The argument by which a command finds a Service or pod in its namespace: `web` or `pod/web-1`. */
export function formatArgument(service: Service): string {
  return isPod(service) ? targetId(service) : service.metadata.name;
}

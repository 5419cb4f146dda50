import { mittensCommand } from '../cli/to-run.ts';
import type { Pod, Service } from '../kube/objects.ts';
import type { CommandToRun } from '../util/message.ts';

/**
 * What is tapped and bears the record: a Service, or a pod that is tapped by itself. A pod then stands for a Service
 * of its own, whose ports are those that its containers declare.
 */

/** `service/web` or `pod/web-1`, as kubectl takes it. */
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

/** A pod as the Service that it stands for; a Service as it is. */
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

/** How a command is told of a Service or pod, in its own namespace. */
export function formatArgument(service: Service): string {
  return isPod(service) ? targetId(service) : service.metadata.name;
}

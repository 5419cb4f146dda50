import { type Route, ServiceProxy } from '../network/service-proxy.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';

/** Keeps the routes of all ClusterIPs equal to the Services and their EndpointSlices. */
export function followServices(registry: Registry): void {
  const proxy = new ServiceProxy();
  let pending = false;
  registry.store.subscribe(({ resource }) => {
    if (pending || !['services', 'endpointslices'].includes(resource.plural)) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      proxy.follow(listRoutes(registry));
    });
  });
}

function listRoutes(registry: Registry): Route[] {
  const slices = registry.list('endpointslices');
  return registry
    .list('services')
    .filter(({ spec }) => spec.clusterIP && spec.clusterIP !== 'None')
    .flatMap((service) =>
      service.spec.ports
        .filter(({ protocol }: Port) => protocol === 'TCP')
        .map((port: Port) => ({
          ip: service.spec.clusterIP,
          port: port.port,
          endpoints: slices
            .filter((slice) => belongsTo(slice, service))
            .flatMap((slice) => listEndpoints(slice, port)),
        })),
    );
}

interface Port {
  name?: string;
  port: number;
  protocol: string;
}

function belongsTo({ metadata }: KubeObject, service: KubeObject): boolean {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return metadata.namespace === service.metadata.namespace && name === service.metadata.name;
}

function listEndpoints(slice: KubeObject, { name = '' }: Port): { ip: string; port: number }[] {
  const port = slice.ports?.find((port: Port) => (port.name ?? '') === name);
  if (!port) return [];
  const ready = (slice.endpoints ?? []).filter(
    ({ conditions }: { conditions?: { ready?: boolean } }) => conditions?.ready !== false,
  );
  return ready.flatMap(({ addresses }: { addresses: string[] }) =>
    addresses.map((ip) => ({ ip, port: port.port })),
  );
}

import { findResource } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import { hasEnded, isLeaving } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import { EMPTY, makeSlices, mirror, put, putSlices } from './endpointslices.ts';
import { getsTraffic, groupByPorts, makeHostname, makeLabels, selects, targetRef } from './service-pods.ts';

/** Writes a Service's Endpoints and EndpointSlices from the pods that it selects. */
export const serviceController: Controller = {
  resource: findResource('services'),
  concerns({ resource, object, old }, registry) {
    if (resource.plural === 'services') return [object];
    if (resource.plural === 'endpoints') return sameName(registry, object);
    if (resource.plural !== 'pods') return [];
    return registry
      .list('services', object.metadata.namespace)
      .filter((service) => selects(service, object) || (old && selects(service, old)));
  },
  reconcile(service, registry) {
    if (service.spec.type === 'ExternalName') return undefined;
    if (service.spec.selector) {
      const pods = registry
        .list('pods', service.metadata.namespace)
        .filter((pod) => selects(service, pod) && pod.status?.podIP && !hasEnded(pod));
      const { name } = service.metadata;
      put(
        registry,
        'endpoints',
        service,
        { name, labels: makeLabels(service) },
        { subsets: makeSubsets(service, pods) },
      );
      const slices = makeSlices(service, pods);
      putSlices(registry, service, slices.length > 0 ? slices : [EMPTY]);
    } else mirror(registry, service);
    return undefined;
  },
};

/** Endpoints have no owner: they are deleted with the Service of the same name, whoever wrote them. */
export const endpointsController: Controller = {
  resource: findResource('endpoints'),
  concerns: ({ type, resource, object }, registry) =>
    type === 'DELETED' && resource.plural === 'services'
      ? [registry.find('endpoints', object.metadata.namespace, object.metadata.name)].filter(
          (found) => !!found,
        )
      : [],
  reconcile(endpoints, registry) {
    const { namespace, name } = endpoints.metadata;
    if (!registry.find('services', namespace, name)) registry.delete('endpoints', endpoints);
    return undefined;
  },
};

function sameName(registry: Registry, { metadata: { namespace, name } }: KubeObject): KubeObject[] {
  const service = registry.find('services', namespace, name);
  return service ? [service] : [];
}

function makeSubsets(service: KubeObject, pods: KubeObject[]): object[] {
  const present = pods.filter((pod) => !isLeaving(pod) || service.spec.publishNotReadyAddresses);
  return groupByPorts(service, present).map(({ ports, pods }) => {
    const address = (pod: KubeObject) => ({
      ip: pod.status.podIP,
      ...makeHostname(service, pod),
      nodeName: pod.spec.nodeName,
      targetRef: targetRef(pod),
    });
    const ready = pods.filter((pod) => getsTraffic(service, pod)).map(address);
    const notReady = pods.filter((pod) => !getsTraffic(service, pod)).map(address);
    return {
      ...(ready.length > 0 && { addresses: ready }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady }),
      ports,
    };
  });
}

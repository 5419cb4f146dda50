import type { Pod, Service, Workload } from '../../scripts/lib/kube/objects.ts';
import { workloadName } from '../../scripts/lib/kube/workload.ts';
import type { ClusterState } from '../../scripts/lib/plan/cluster-state.ts';
import type { TapRecord } from '../../scripts/lib/plan/record.ts';
import type { TapRequest } from '../../scripts/lib/plan/request.ts';

/** Kubernetes objects as the API server would return them, small, and valid for `kubectl patch --local`. */

export function service(spec: Partial<Service['spec']> = {}, annotations?: Record<string, string>): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', resourceVersion: '7', ...(annotations && { annotations }) },
    spec: {
      selector: { app: 'web' },
      clusterIP: '10.0.0.1',
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
      ...spec,
    },
  } as Service;
}

export function workload(kind = 'Deployment', spec: object = {}, podSpec: object = {}): Workload {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web', namespace: 'shop', resourceVersion: '42' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' }, annotations: { note: 'kept' } },
        spec: {
          containers: [
            { name: 'app', image: 'app:1', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] },
            { name: 'logger', image: 'logger:1' },
          ],
          volumes: [{ name: 'data', emptyDir: {} }],
          ...podSpec,
        },
      },
      ...spec,
    },
    status: { readyReplicas: 2 },
  } as unknown as Workload;
}

export function pod(status: Pod['status'] = { conditions: [{ type: 'Ready', status: 'True' }] }): Pod {
  return {
    metadata: { name: 'web-1', namespace: 'shop', resourceVersion: '1' },
    spec: {
      containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }, { name: 'mittens-web' }],
    },
    status,
  };
}

export function state(parts: Partial<ClusterState> = {}): ClusterState {
  const { workloads = [workload()] } = parts;
  const owners = workloads.map(workloadName);
  const able = { hasEphemeralContainers: true, mayExec: true, secretsWithoutCertificate: [] };
  return { service: service(), pods: [pod()], owners, workloads, record: undefined, ...able, ...parts };
}

export const REQUEST: TapRequest = {
  mode: 'sidecar',
  program: 'mitmproxy',
  ports: [],
  protocol: undefined,
  listenPort: undefined,
  image: 'mitmproxy/mitmproxy:12.2.3',
  imagePullPolicy: 'IfNotPresent',
  addsPorts: false,
  pod: undefined,
  replacePods: false,
  tlsSecret: undefined,
  clientTlsSecret: undefined,
  failClosed: false,
  sample: undefined,
  proxyCpu: undefined,
  proxyMemory: undefined,
  forwarded: false,
  files: [],
  mitmproxyArgs: [],
};

const SIGNED = { id: '0123abcd', owner: 'ann@laptop', started: '2026-01-02T03:04:05.678Z' };
export const SIGNATURE = { ...SIGNED, token: '0123456789abcdef0123456789abcdef' };

export function record(parts: Partial<TapRecord> = {}): TapRecord {
  return {
    version: 1,
    ...SIGNED,
    phase: 'on',
    mode: 'sidecar',
    program: 'mitmproxy',
    container: 'mittens-web',
    workloads: ['deployment/web'],
    health: 7788,
    ports: [{ port: 80, targetPort: 'http', protocol: 'auto', listenPort: 7777 }],
    ...parts,
  };
}

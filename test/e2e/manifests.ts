const IMAGE = process.env.MITTENS_TEST_APP_IMAGE ?? 'node:20-slim';

export interface AppOptions {
  name: string;
  kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  replicas?: number;
  ports?: number[];
  /** Whether its pods become ready; by default they do. */
  ready?: boolean;
  /** What app.mjs reads of its environment; an object is where Kubernetes takes the value from. */
  env?: Record<string, string | object>;
  /** Merged into the workload's spec. */
  spec?: object;
  /** Merged into the pod's spec. */
  podSpec?: object;
}

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  runAsUser: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** A workload of the sample app; its own labels differ from its pods', as they may. */
export function app(options: AppOptions): object {
  const { name, kind = 'Deployment', replicas = 1, ports = [8080], ready = true, env, ...more } = options;
  const containerPorts = ports.map((port, index) => ({
    name: index === 0 ? 'http' : `p${port}`,
    containerPort: port,
  }));
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, labels: { team: 'shop' } },
    spec: {
      ...(kind !== 'DaemonSet' && { replicas }),
      ...(kind === 'StatefulSet' && { serviceName: name }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, tier: 'shop' } },
        spec: {
          // A Service named tls would set TLS_PORT.
          enableServiceLinks: false,
          containers: [
            {
              name: 'app',
              image: IMAGE,
              imagePullPolicy: 'IfNotPresent',
              command: ['node', '/code/app.mjs'],
              env: Object.entries({ PORTS: ports.join(','), ...env }).map(([name, value]) =>
                typeof value === 'string' ? { name, value } : { name, valueFrom: value },
              ),
              ports: containerPorts,
              readinessProbe: { httpGet: { path: '/healthz', port: ready ? ports[0] : 1 }, periodSeconds: 1 },
              resources: {
                requests: { cpu: '10m', memory: '32Mi' },
                limits: { cpu: '500m', memory: '128Mi' },
              },
              securityContext: RESTRICTED,
              volumeMounts: [{ name: 'code', mountPath: '/code' }],
            },
          ],
          volumes: [{ name: 'code', configMap: { name: 'code' } }],
          ...more.podSpec,
        },
      },
      ...more.spec,
    },
  };
}

/** A pod by itself with one container, which has the sample app's code. */
export function pod(name: string, command: string[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { role: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [nodeContainer(name, command, {}, [{ name: 'code', mountPath: '/code' }])],
      volumes: [{ name: 'code', configMap: { name: 'code' } }],
    },
  };
}

/** A container with node in it, without a probe. */
export function nodeContainer(
  name: string,
  command: string[],
  env: Record<string, string>,
  volumeMounts: object[],
): object {
  return {
    name,
    image: IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    securityContext: RESTRICTED,
    volumeMounts,
  };
}

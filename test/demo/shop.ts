import { filesBeside } from '../files.ts';

const IMAGE = process.env.MITTENS_TEST_APP_IMAGE ?? 'node:20-slim';

/** The Services; the demo taps orders. */
const SERVICES = ['web', 'orders', 'stock'];
/** Who asks them, and keeps count of it. */
export const CALLERS = ['web', 'visitors', 'billing'];

/** What makes the demo's shop, Services first: their addresses are in the environment of the pods that come after. */
export function shop(): object[] {
  const data = filesBeside(import.meta.url, ['shop.mjs', '../patient-agent.mjs']);
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'code' }, data },
    ...SERVICES.map(service),
    ...SERVICES.map((name) => deployment(name, name === 'orders' ? 2 : 1, SERVING)),
    ...['visitors', 'billing'].map((name) => deployment(name, 1, {})),
  ];
}

function service(name: string): object {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: { selector: { app: name }, ports },
  };
}

/** What a container that serves has besides. */
const SERVING = {
  ports: [{ name: 'http', containerPort: 8080 }],
  // Patient, so that a busy machine's slowness is not taken for a shop that is closed.
  readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1, timeoutSeconds: 5 },
};

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  runAsUser: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
};

function deployment(name: string, replicas: number, more: object): object {
  const container = {
    name,
    image: IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/code/shop.mjs'],
    env: [{ name: 'ROLE', value: name }],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    securityContext: RESTRICTED,
    volumeMounts: [{ name: 'code', mountPath: '/code' }],
    ...more,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      // All new pods come before an old one goes.
      strategy: { rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 10,
          containers: [container],
          volumes: [{ name: 'code', configMap: { name: 'code' } }],
        },
      },
    },
  };
}

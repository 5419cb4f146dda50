import type { Schema } from '../objects/resource.ts';
import { METADATA } from '../objects/schema.ts';

/** The fields of a pod that this cluster honours, or may safely ignore. */

const QUANTITIES: Schema = { map: 'quantity' };
const HTTP_GET: Schema = {
  fields: {
    path: 'string',
    port: 'intOrString',
    host: 'string',
    scheme: 'string',
    httpHeaders: { list: { fields: { name: 'string', value: 'string' } } },
  },
};
const EXEC: Schema = { fields: { command: { list: 'string' } } };
const HANDLER: Schema = {
  fields: { exec: EXEC, httpGet: HTTP_GET, sleep: { fields: { seconds: 'int' } } },
};
const PROBE: Schema = {
  fields: {
    exec: EXEC,
    httpGet: HTTP_GET,
    tcpSocket: { fields: { port: 'intOrString', host: 'string' } },
    initialDelaySeconds: 'int',
    timeoutSeconds: 'int',
    periodSeconds: 'int',
    successThreshold: 'int',
    failureThreshold: 'int',
  },
};
const SECCOMP: Schema = { fields: { type: 'string' } };

const ENV: Schema = {
  list: {
    fields: {
      name: 'string',
      value: 'string',
      valueFrom: {
        fields: {
          fieldRef: { fields: { apiVersion: 'string', fieldPath: 'string' } },
        },
      },
    },
  },
  mergeKey: 'name',
};

const CONTAINER = {
  fields: {
    name: 'string',
    image: 'string',
    imagePullPolicy: 'string',
    command: { list: 'string' },
    args: { list: 'string' },
    workingDir: 'string',
    env: ENV,
    ports: {
      list: { fields: { name: 'string', containerPort: 'int', hostPort: 'int', protocol: 'string' } },
      mergeKey: 'containerPort',
    },
    resources: { fields: { limits: QUANTITIES, requests: QUANTITIES } },
    volumeMounts: {
      list: { fields: { name: 'string', mountPath: 'string', subPath: 'string', readOnly: 'bool' } },
      mergeKey: 'mountPath',
    },
    livenessProbe: PROBE,
    readinessProbe: PROBE,
    startupProbe: PROBE,
    lifecycle: { fields: { preStop: HANDLER } },
    terminationMessagePath: 'string',
    terminationMessagePolicy: 'string',
    securityContext: {
      fields: {
        allowPrivilegeEscalation: 'bool',
        capabilities: { fields: { add: { list: 'string' }, drop: { list: 'string' } } },
        privileged: 'bool',
        readOnlyRootFilesystem: 'bool',
        runAsNonRoot: 'bool',
        runAsUser: 'int',
        runAsGroup: 'int',
        seccompProfile: SECCOMP,
      },
    },
    stdin: 'bool',
    stdinOnce: 'bool',
    tty: 'bool',
    restartPolicy: 'string',
  },
} satisfies Schema;

/** It also has the fields that ephemeral containers may not set, so that they are refused by name. */
const EPHEMERAL_CONTAINER: Schema = {
  fields: { ...CONTAINER.fields, targetContainerName: 'string' },
};

const FILES_ITEMS: Schema = { list: { fields: { key: 'string', path: 'string', mode: 'int' } } };

const FILES: Record<string, Schema> = {
  items: FILES_ITEMS,
  defaultMode: 'int',
  optional: 'bool',
};

const VOLUME: Schema = {
  fields: {
    name: 'string',
    configMap: { fields: { name: 'string', ...FILES } },
    secret: { fields: { secretName: 'string', ...FILES } },
    emptyDir: { fields: { medium: 'string', sizeLimit: 'quantity' } },
    projected: {
      fields: {
        sources: {
          list: {
            fields: {
              secret: { fields: { name: 'string', items: FILES_ITEMS, optional: 'bool' } },
              configMap: { fields: { name: 'string', items: FILES_ITEMS, optional: 'bool' } },
            },
          },
        },
        defaultMode: 'int',
      },
    },
  },
  retainKeys: true,
};

export const POD_SPEC: Schema = {
  fields: {
    containers: { list: CONTAINER, mergeKey: 'name' },
    initContainers: { list: CONTAINER, mergeKey: 'name' },
    ephemeralContainers: { list: EPHEMERAL_CONTAINER, mergeKey: 'name' },
    volumes: { list: VOLUME, mergeKey: 'name' },
    restartPolicy: 'string',
    terminationGracePeriodSeconds: 'int',
    dnsPolicy: 'string',
    nodeName: 'string',
    nodeSelector: { map: 'string' },
    hostname: 'string',
    subdomain: 'string',
    serviceAccountName: 'string',
    serviceAccount: 'string',
    automountServiceAccountToken: 'bool',
    hostNetwork: 'bool',
    enableServiceLinks: 'bool',
    schedulerName: 'string',
    preemptionPolicy: 'string',
    priority: 'int',
    tolerations: {
      list: {
        fields: {
          key: 'string',
          operator: 'string',
          value: 'string',
          effect: 'string',
          tolerationSeconds: 'int',
        },
      },
    },
    securityContext: {
      fields: {
        runAsNonRoot: 'bool',
        runAsUser: 'int',
        runAsGroup: 'int',
        fsGroup: 'int',
        seccompProfile: SECCOMP,
      },
    },
  },
};

export const POD_TEMPLATE: Schema = { fields: { metadata: METADATA, spec: POD_SPEC } };

export const LABEL_SELECTOR: Schema = {
  fields: {
    matchLabels: { map: 'string' },
    matchExpressions: {
      list: { fields: { key: 'string', operator: 'string', values: { list: 'string' } } },
    },
  },
};

/** The conditions of a status. */
export const CONDITIONS: Schema = {
  list: {
    fields: {
      type: 'string',
      status: 'string',
      reason: 'string',
      message: 'string',
      lastProbeTime: 'string',
      lastHeartbeatTime: 'string',
      lastUpdateTime: 'string',
      lastTransitionTime: 'string',
      observedGeneration: 'int',
    },
  },
  mergeKey: 'type',
};

const STATE: Schema = {
  fields: {
    waiting: { fields: { reason: 'string', message: 'string' } },
    running: { fields: { startedAt: 'string' } },
    terminated: {
      fields: {
        exitCode: 'int',
        signal: 'int',
        reason: 'string',
        message: 'string',
        startedAt: 'string',
        finishedAt: 'string',
        containerID: 'string',
      },
    },
  },
};

const CONTAINER_STATUSES: Schema = {
  list: {
    fields: {
      name: 'string',
      state: STATE,
      lastState: STATE,
      ready: 'bool',
      started: 'bool',
      restartCount: 'int',
      image: 'string',
      imageID: 'string',
      containerID: 'string',
    },
  },
};

export const POD_STATUS: Schema = {
  fields: {
    phase: 'string',
    reason: 'string',
    message: 'string',
    observedGeneration: 'int',
    conditions: CONDITIONS,
    initContainerStatuses: CONTAINER_STATUSES,
    containerStatuses: CONTAINER_STATUSES,
    ephemeralContainerStatuses: CONTAINER_STATUSES,
    hostIP: 'string',
    hostIPs: { list: { fields: { ip: 'string' } } },
    podIP: 'string',
    podIPs: { list: { fields: { ip: 'string' } }, mergeKey: 'ip' },
    qosClass: 'string',
    startTime: 'string',
  },
};

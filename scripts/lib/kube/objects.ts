/** The few fields of Kubernetes objects that mittens reads. */
export type Labels = Record<string, string>;

export interface Metadata {
  name: string;
  namespace: string;
  /** Differs between objects that had the same name one after another. */
  uid?: string;
  resourceVersion: string;
  labels?: Labels;
  annotations?: Record<string, string>;
  deletionTimestamp?: string;
  ownerReferences?: { kind: string; name: string; uid?: string; controller?: boolean }[];
}

export interface ServicePort {
  name?: string;
  port: number;
  protocol?: string;
  /** The protocol of the app, as the Service declares it. */
  appProtocol?: string;
  /** A number, or the name of a container's port. */
  targetPort?: number | string;
}

export interface Service {
  /** `Service`, or `Pod` for a pod that is tapped on its own: see plan/target-id.ts. */
  kind: string;
  metadata: Metadata;
  spec: {
    type?: string;
    clusterIP?: string;
    selector?: Labels;
    ports?: ServicePort[];
  };
}

export interface Container {
  name: string;
  image?: string;
  imagePullPolicy?: string;
  args?: string[];
  ports?: { name?: string; containerPort: number; hostPort?: number; protocol?: string }[];
}

export interface PodSpec {
  containers: Container[];
  initContainers?: (Container & { restartPolicy?: string })[];
  ephemeralContainers?: Container[];
  volumes?: { name: string; secret?: { secretName?: string } }[];
  hostNetwork?: boolean;
}

interface Waiting {
  reason?: string;
  message?: string;
}

interface Terminated {
  reason?: string;
  exitCode: number;
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  image?: string;
  state?: { waiting?: Waiting; running?: { startedAt?: string }; terminated?: Terminated };
  lastState?: { terminated?: Terminated };
}

export interface Pod {
  kind?: string;
  metadata: Metadata;
  spec: PodSpec;
  status: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
    ephemeralContainerStatuses?: ContainerStatus[];
  };
}

export interface Workload {
  kind: string;
  metadata: Metadata;
  spec: {
    replicas?: number;
    paused?: boolean;
    strategy?: { type?: string };
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    selector: { matchLabels?: Labels };
    template: {
      metadata?: { labels?: Labels; annotations?: Record<string, string> };
      spec: PodSpec;
    };
  };
  status?: {
    replicas?: number;
    readyReplicas?: number;
    numberReady?: number;
    desiredNumberScheduled?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
}

/** Whether Kubernetes would send traffic to a pod. */
export function isReady(pod: Pod): boolean {
  return (
    !pod.metadata.deletionTimestamp &&
    (pod.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** Whether a pod has neither ended nor is being deleted. */
export function isAlive(pod: Pod): boolean {
  return !pod.metadata.deletionTimestamp && pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed';
}

/** The status of a pod's container. Finds ephemeral containers too. */
export function containerStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], ephemeralContainerStatuses = [] } = pod.status;
  return [...containerStatuses, ...ephemeralContainerStatuses].find((status) => status.name === name);
}

/** Whether a pod has a container of that name. Counts ephemeral containers, also those that have ended. */
export function hasContainerNamed({ spec }: Pod, name: string): boolean {
  return [...spec.containers, ...(spec.ephemeralContainers ?? [])].some(
    (container) => container.name === name,
  );
}

/** Whether a pod's container of that name runs. */
export function isRunning(pod: Pod, name: string): boolean {
  return containerStatus(pod, name)?.state?.running !== undefined;
}

/** The containers of a pod that run at the same time, ephemeral ones that have ended included. */
export function listContainers({
  containers,
  initContainers = [],
  ephemeralContainers = [],
}: PodSpec): Container[] {
  const besides = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...containers, ...besides, ...ephemeralContainers];
}

/** A selector as kubectl's `-l` takes it. */
export function selectorFlag(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** The TCP port of a Service by its number; undefined when there is none. */
export function servicePort(service: Service, port: number): ServicePort | undefined {
  return service.spec.ports?.find((candidate) => candidate.port === port && isTcp(candidate));
}

export function isTcp(port: ServicePort): boolean {
  return (port.protocol ?? 'TCP') === 'TCP';
}

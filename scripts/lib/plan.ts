import type { PatchType } from './kubectl.ts';
import type { Pod, Service, Workload } from './kubernetes.ts';
import { choosePorts, planPorts } from './port.ts';
import { retargetPatch, type TapRecord, writePatch } from './record.ts';
import {
  refuseArgs,
  refusePods,
  refusePort,
  refuseSecond,
  refuseService,
  refuseWorkload,
  theWorkload,
} from './refusal.ts';
import { containerName, sidecarPatch } from './sidecar.ts';
import type { Templates } from './template.ts';
import { podCounts, workloadName } from './workload.ts';

/** What was read of the cluster before a tap. */
export interface Scene {
  service: Service;
  /** The pods that the Service selects, dead ones too. */
  pods: Pod[];
  /** What owns them. */
  workloads: Workload[];
  /** The tap that is on already, to which ports are added. */
  record: TapRecord | undefined;
}

/** What the user asked for. */
export interface TapRequest {
  program: 'mitmproxy' | 'mitmdump';
  /** Port numbers or names; none means the only one. */
  ports: string[];
  https: boolean;
  /** Where the proxy listens; undefined means 7777, or above it the first that is free. */
  listenPort: number | undefined;
  image: string;
  imagePullPolicy: string;
  /** For mitmproxy itself. */
  mitmproxyArgs: string[];
}

/** Who taps, and when: what a pure plan can't know. */
export interface Signature {
  id: string;
  owner: string;
  started: string;
}

/** One patch of one object. */
export interface Change {
  object: string;
  type: PatchType;
  patch: unknown;
}

export interface Plan {
  record: TapRecord;
  /** What the user should know before it happens. */
  notes: string[];
  /** In the order in which they are made. */
  changes: { record: Change; inject: Change; retarget: Change };
}

/**
 * Plans a tap. Pure: it reads nothing and changes nothing.
 * @throws UserError when the Service can't be tapped, with the reason and the way out.
 */
export function planTap(scene: Scene, request: TapRequest, signature: Signature, templates: Templates): Plan {
  const { service } = scene;
  refuseService(service);
  if (scene.record) refuseSecond(service, scene.record, request.program);
  refuseArgs(request.mitmproxyArgs);
  const workload = theWorkload(scene);
  refuseWorkload(workload);
  refusePods(scene, workload);
  const wanted = choosePorts(service, request.ports);
  for (const port of wanted) refusePort(service, port);
  const container = containerName(service.metadata.name);
  const ports = planPorts(wanted, workload, container, request, scene.record);
  const record: TapRecord = {
    version: 1,
    ...(scene.record ?? signature),
    phase: 'starting',
    mode: 'sidecar',
    program: request.program,
    container,
    workloads: [workloadName(workload)],
    ports,
  };
  return {
    record,
    notes: notesOn(workload),
    changes: {
      record: {
        object: `service/${service.metadata.name}`,
        type: 'merge',
        patch: writePatch(templates, service, record),
      },
      inject: {
        object: workloadName(workload),
        type: 'strategic',
        patch: sidecarPatch(workload, record, request, templates),
      },
      retarget: {
        object: `service/${service.metadata.name}`,
        type: 'merge',
        patch: retargetPatch(templates, service, record),
      },
    },
  };
}

function notesOn(workload: Workload): string[] {
  const name = workloadName(workload);
  if (workload.spec.strategy?.type === 'Recreate') {
    return [`${name} has the strategy Recreate: it is down while its pods are replaced`];
  }
  if (workload.kind === 'StatefulSet' && podCounts(workload).wanted === 1) {
    return [`${name} has one replica: it is down while its pod is replaced`];
  }
  if (workload.kind === 'DaemonSet') return [`${name}: a node has no pod of it while that one is replaced`];
  return [];
}

import { UserError } from './error.ts';
import { isReady, type Service, type ServicePort, type Workload } from './kubernetes.ts';
import type { Scene } from './plan.ts';
import { isTcp, type TapRecord } from './record.ts';
import { podCounts, workloadName } from './workload.ts';

// What cannot be tapped, each with the reason and the way out. Pure: nothing has been changed yet.

/** The mode and the ports are ours: with others the tap would point at nothing. */
const OWN_ARGS = /^(-m|--mode|-p|--listen-port|--listen-host|--no-server|-n)(=|$)/;

/** @throws UserError for a Service whose clients do not come through a targetPort. */
export function refuseService(service: Service): void {
  const name = `service/${service.metadata.name}`;
  if (service.spec.type === 'ExternalName') {
    throw new UserError(`${name} is of type ExternalName: there are no pods behind it`, {
      hint: 'tap the Service that it names, in the cluster where that one is',
    });
  }
  if (Object.keys(service.spec.selector ?? {}).length === 0) {
    throw new UserError(`${name} has no selector: its endpoints are kept by hand, there are no pods to tap`);
  }
  if (service.spec.clusterIP === 'None') {
    throw new UserError(`${name} is headless: its clients go to the pods themselves, past any targetPort`, {
      hint: 'tap a Service with a cluster IP in front of the same pods',
    });
  }
}

/**
 * Two can look at a session, and add ports to it; a capture is of whoever began it.
 * @throws UserError when a Service is tapped already and one of the two taps is a capture.
 */
export function refuseSecond(service: Service, record: TapRecord, program: TapRecord['program']): void {
  const { name } = service.metadata;
  const by = `by ${record.owner} since ${record.started}`;
  if (record.program === 'mitmdump') {
    throw new UserError(`service/${name} is being captured, ${by}`, {
      hint: `wait for its end, or end it: off ${name}`,
    });
  }
  if (program === 'mitmdump') {
    throw new UserError(`service/${name} is tapped already, ${by}`, {
      hint: `its flows are kept when it ends; end it: off ${name}`,
    });
  }
}

/** @throws UserError for arguments of mitmproxy's that mittens sets. */
export function refuseArgs(args: string[]): void {
  const own = args.find((arg) => OWN_ARGS.test(arg));
  if (own) {
    throw new UserError(`mitmproxy's ${own} is set by mittens`, {
      hint: 'use --port, --listen-port and --https for what is tapped, and how',
    });
  }
}

/**
 * The one workload behind a Service.
 * @throws UserError when there is none, or more than one.
 */
export function theWorkload({ service, workloads }: Scene): Workload {
  const name = `service/${service.metadata.name}`;
  const [workload, ...others] = workloads;
  if (!workload) {
    throw new UserError(`no pod matches the selector of ${name}`, { hint: 'kubectl get pods --show-labels' });
  }
  if (others.length > 0) {
    throw new UserError(
      `${name} has several workloads behind it: ${workloads.map(workloadName).join(', ')}`,
      {
        hint: 'tap a Service that selects the pods of one of them',
      },
    );
  }
  return workload;
}

/** @throws UserError for a Service that serves nobody now: a tap could not be told from what is broken. */
export function refusePods({ service, pods }: Scene, workload: Workload): void {
  const name = workloadName(workload);
  if (podCounts(workload).wanted === 0) {
    throw new UserError(`service/${service.metadata.name} has no pods: ${name} is scaled to zero`, {
      hint: `kubectl scale ${name} --replicas=1`,
    });
  }
  if (!pods.some(isReady)) {
    throw new UserError(`no pod of service/${service.metadata.name} is ready`, {
      hint: `kubectl describe ${name}`,
    });
  }
}

/** @throws UserError for a workload whose pods would not follow a change of their template, or should not. */
export function refuseWorkload(workload: Workload): void {
  const name = workloadName(workload);
  const { spec } = workload;
  if (spec.template.spec.hostNetwork) {
    throw new UserError(`${name} uses the network of its nodes: the proxy's port would be open there`, {
      hint: 'hostNetwork workloads are not tapped',
    });
  }
  if (spec.paused) {
    throw new UserError(`the rollout of ${name} is paused: its pods would not change`, {
      hint: `kubectl rollout resume ${name}`,
    });
  }
  if (spec.updateStrategy?.type === 'OnDelete') {
    throw new UserError(`${name} has the update strategy OnDelete: its pods would not change by themselves`, {
      hint: 'mittens taps workloads that roll out',
    });
  }
  if (spec.updateStrategy?.rollingUpdate?.partition) {
    throw new UserError(`${name} has an update partition: not all of its pods would change`, {
      hint: 'set spec.updateStrategy.rollingUpdate.partition to 0',
    });
  }
}

/** @throws UserError for a port that mitmproxy can't sit in front of. */
export function refusePort(service: Service, port: ServicePort): void {
  if (isTcp(port)) return;
  throw new UserError(`port ${port.port} of service/${service.metadata.name} speaks ${port.protocol}`, {
    hint: 'mitmproxy sits in front of TCP ports',
  });
}

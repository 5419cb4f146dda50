import { kubectlCommand } from '../cli/to-run.ts';
import { isTcp, type Service, type ServicePort } from '../kube/objects.ts';
import { UserError } from '../util/error.ts';
import { type Message, message } from '../util/message.ts';
import type { ClusterState } from './cluster-state.ts';
import { findLegacyTool } from './legacy.ts';
import { choosePorts } from './ports.ts';
import { refuseWorkloadsAndPods } from './preflight-pods.ts';
import { isCapture, type TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';
import { commandFor, isPod, targetId } from './target-id.ts';

/**
 * Refuses what can't be tapped, before anything is changed. Everything that a tap is refused for is here and in
 * preflight-pods.ts.
 * @throws UserError with the reason and a way out.
 */
export function preflight(state: ClusterState, request: TapRequest): void {
  const { service, record } = state;
  refuseMissing(state);
  refuseLegacyTap(service);
  if (record) {
    refusePhase(service, record);
    refuseTapped(service, record, request);
    refuseMorePorts(service, record);
  }
  refuseService(service);
  refuseArgs(request.mitmproxyArgs);
  refuseWorkloadsAndPods(state, request);
  for (const port of choosePorts(service, request.ports)) refusePort(service, port);
}

/** @throws UserError when the cluster lacks what the request needs, or the user may not use it. */
function refuseMissing(state: ClusterState): void {
  const { hasEphemeralContainers, mayExec, secretsWithoutCertificate } = state;
  const { namespace } = state.service.metadata;
  if (!hasEphemeralContainers)
    throw new UserError('--no-restart needs ephemeral containers, which Kubernetes has from 1.25 on', {
      hint: 'leave out --no-restart; the pods are then restarted with the proxy in them',
    });
  const [secret] = secretsWithoutCertificate;
  if (secret)
    throw new UserError(`secret/${secret} has no tls.crt and tls.key`, {
      hint: message`make one that has both: ${kubectlCommand(['create', 'secret', 'tls', 'NAME', '--cert=FILE', '--key=FILE'], { namespace })}`,
    });
  if (!mayExec)
    throw new UserError('capture reads flows by kubectl exec, and you may not create pods/exec here', {
      hint: message`an admin can create the Role that capture needs, in the folder of mittens: ${kubectlCommand(['apply', '-f', 'docs/rbac.yaml'], { namespace })}`,
    });
}

/** @throws UserError when an older tool has tapped the Service. */
function refuseLegacyTap(service: Service): void {
  const tool = findLegacyTool(service);
  if (!tool) return;
  throw new UserError(
    `service/${service.metadata.name} is tapped by ${tool === 'mittens' ? 'the Go mittens' : tool}`,
    { hint: message`restore it first: ${commandFor('off', service)}` },
  );
}

/** @throws UserError when a tap is just starting or stopping. */
export function refusePhase(service: Service, record: TapRecord): void {
  if (record.phase === 'on') return;
  throw new UserError(`${targetId(service)} is ${record.phase}, by ${record.owner} since ${record.started}`, {
    hint: message`wait until that is done, or restore it: ${commandFor('off', service)}`,
  });
}

/** The mode and the ports are ours: with others the tap would point at nothing. */
const OWN_ARGS = /^(-m|--mode|-p|--listen-port|--listen-host|--no-server|-n)(=|$)/;

/** Whether clients of a Service come to its pods through a targetPort. */
export function canBeTapped(service: Service): boolean {
  return explainWhyNot(service) === undefined;
}

/** @throws UserError for a Service whose clients do not come through a targetPort. */
function refuseService(service: Service): void {
  const why = explainWhyNot(service);
  if (why) throw new UserError(`${targetId(service)} ${why.message}`, { hint: why.hint });
}

function explainWhyNot(service: Service): { message: string; hint?: Message } | undefined {
  const { type, selector, clusterIP } = service.spec;
  if (isPod(service)) return undefined;
  if (type === 'ExternalName') {
    return {
      message: 'is of type ExternalName: it has no pods',
      hint: 'tap the Service that it names, in the cluster of that Service',
    };
  }
  if (Object.keys(selector ?? {}).length === 0)
    return { message: 'has no selector, so it has no pods to tap' };
  if (clusterIP === 'None') {
    return {
      message: 'is headless: clients connect to its pods directly, not by a targetPort',
      hint: 'tap a Service with a cluster IP in front of the same pods',
    };
  }
  return undefined;
}

/** @throws UserError when the request does not fit the tap that the Service has. */
export function refuseTapped(service: Service, record: TapRecord, request: TapRequest): void {
  refuseOtherProgram(service, record, request.program);
  refuseOtherMode(service, record, request);
}

/**
 * Two can look at a session, and add ports to it; a capture is of whoever began it.
 * @throws UserError when a Service is already tapped, and the two taps are not of one kind.
 */
export function refuseOtherProgram(service: Service, record: TapRecord, program: TapRecord['program']): void {
  if (record.program === program && !isCapture(record)) return;
  const name = targetId(service);
  const by = `by ${record.owner} since ${record.started}`;
  const off = commandFor('off', service);
  if (isCapture(record)) {
    throw new UserError(`${name} is being captured, ${by}`, {
      hint: message`wait until it ends, or end it: ${off}`,
    });
  }
  if (isCapture({ program })) {
    throw new UserError(`${name} is already tapped, ${by}`, {
      hint: message`end it, which saves its flows: ${off}`,
    });
  }
  throw new UserError(`${name} is tapped with ${record.program}, ${by}`, {
    hint: message`see it: ${commandFor('attach', service)}\nor end it: ${off}`,
  });
}

/** @throws UserError when a tap that is on has its proxies in another way than is wanted now, or in other pods. */
function refuseOtherMode(service: Service, record: TapRecord, { mode, pod }: TapRequest): void {
  if (mode === 'sidecar' || (record.mode === mode && record.pod === pod)) return;
  const how = record.mode === 'sidecar' ? 'with a sidecar' : (record.pod ?? 'in all its pods');
  throw new UserError(`${targetId(service)} is already tapped, ${how}`, {
    hint: message`see it: ${commandFor('attach', service)}\nor end it first: ${commandFor('off', service)}`,
  });
}

/** @throws UserError when ports are to be added to a tap whose containers can't be changed. */
function refuseMorePorts(service: Service, record: TapRecord): void {
  if (record.mode === 'sidecar' && record.health === undefined)
    throw new UserError(
      `${targetId(service)} was tapped by an older mittens, and ports can't be added to its tap`,
      {
        hint: message`end it, then tap all ports at once: ${commandFor('off', service)}`,
      },
    );
  if (record.mode === 'sidecar') return;
  throw new UserError(
    `${targetId(service)} is tapped without a restart, and ports can't be added to such a tap`,
    { hint: message`end it, then tap all ports at once: ${commandFor('off', service)}` },
  );
}

/** @throws UserError for arguments of mitmproxy's that mittens sets. */
function refuseArgs(args: readonly string[]): void {
  const own = args.find((arg) => OWN_ARGS.test(arg));
  if (own) {
    throw new UserError(`mitmproxy's ${own} is set by mittens`, {
      hint: 'use --port, --listen-port and --protocol instead',
    });
  }
}

/** @throws UserError for a port that mitmproxy can't sit in front of. */
function refusePort(service: Service, port: ServicePort): void {
  if (isTcp(port)) return;
  throw new UserError(`port ${port.port} of ${targetId(service)} speaks ${port.protocol}`, {
    hint: 'mitmproxy can only proxy TCP ports',
  });
}

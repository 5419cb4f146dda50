import { createHash } from 'node:crypto';
import { parseMemory } from '../kube/quantity.ts';
import type { Templates, Values } from '../util/template.ts';
import { packAddon } from './addon.ts';
import { options, paths, variables } from './pod-contract.ts';
import { HEALTH_FLAG, type PodGroup, portsFlag } from './ports.ts';
import type { TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';

/**
 * The name of the proxy's container. Each Service has its own, so that each can be restored alone. An ephemeral
 * container stays in its pod after it has ended, so its name also has the id of the tap.
 */
export function containerName(service: string, id?: string): string {
  const name = id ? `${service}-${id}` : service;
  if (name.length <= 55) return `mittens-${name}`;
  const digest = createHash('sha256').update(service).digest('hex').slice(0, 8);
  const end = id ? `${digest}-${id}` : digest;
  return `mittens-${service.slice(0, 54 - end.length)}-${end}`;
}

/** The values that both templates of the proxy's container need. */
export function proxyValues(
  pods: PodGroup,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): Values {
  return {
    container: record.container,
    program: record.program,
    image: request.image,
    imagePullPolicy: request.imagePullPolicy,
    start: literal(templates.read('start.sh')),
    args: doorCommand(pods, record, request).map(literal),
    addon: packAddon(templates, record.program === 'wire' ? 'door' : 'all'),
    files: request.files.map(({ name, content }, number) => ({
      name: `${variables.file}${number}`,
      value: `${name} ${content}`,
    })),
  };
}

/** The door's command line. It starts mitmproxy, or writes the wire file of a capture. */
function doorCommand(pods: PodGroup, record: TapRecord, request: TapRequest): string[] {
  return [
    ...['python3', '-m', 'door', portsFlag(pods, record)],
    ...(record.health === undefined ? [] : [`${HEALTH_FLAG}${record.health}`]),
    ...(changesTraffic(record, request) ? ['--wait'] : []),
    ...(request.failClosed ? ['--fail-closed'] : []),
    ...(request.sample === undefined ? [] : [`--sample=${request.sample}`]),
    ...(record.program === 'wire'
      ? [`--wire=${paths.wire}`]
      : ['--', ...mitmproxyCommand(record.program, record, request)]),
  ];
}

/**
 * Whether the request asks for mitmproxy to change traffic from the first connection on. Otherwise connections are
 * relayed at once, and mitmproxy, when it runs, only sees copies: templates/addon/lane.py.
 */
function changesTraffic({ ports }: TapRecord, request: TapRequest): boolean {
  const { tlsSecret, clientTlsSecret, forwarded, files, mitmproxyArgs } = request;
  const endsTls = tlsSecret || clientTlsSecret || ports.some(({ protocol }) => protocol === 'https');
  return Boolean(endsTls) || forwarded || files.length > 0 || mitmproxyArgs.length > 0;
}

function mitmproxyCommand(program: string, record: TapRecord, request: TapRequest): string[] {
  const settings = [
    `confdir=${paths.mitmproxy}`,
    // The door listens, and hands over connections.
    'server=false',
    'keep_host_header=true',
    // The flow list shows the host that the client asked for, not localhost.
    'showhost=true',
    // Otherwise each readiness probe opens a connection to the app.
    'connection_strategy=lazy',
    // Clients of a LoadBalancer Service have public addresses, which mitmproxy blocks by default.
    'block_global=false',
    // The app decides which headers are invalid, not the proxy.
    'validate_inbound_headers=false',
    'ssl_insecure=true',
    'stream_large_bodies=5m',
  ];
  // The flows are in the file, so the container's log need not have them.
  if (program === 'mitmdump') settings.push('flow_detail=0', 'termlog_verbosity=warn');
  if (record.web) settings.push(`web_port=${record.web.port}`, `${options.webToken}=${record.web.token}`);
  if (record.tlsSecret) settings.push(`certs=*=${paths.serverCertificate}`);
  if (record.clientTlsSecret) settings.push(`client_certs=${paths.clientCertificate}`);
  if (request.forwarded) settings.push(`${options.forwarded}=true`);
  return [
    ...[program, '--scripts', `${paths.addon}/script.py`],
    ...settings.flatMap((option) => ['--set', option]),
    // templates/start.sh writes the files.
    ...request.files.flatMap(({ flag, name }, number) => [flag, `${paths.files}/${number}/${name}`]),
    ...request.mitmproxyArgs,
  ];
}

/** The resources of the proxy's container. mitmproxy needs most of the memory; the door alone needs little. */
export function proxyResources({ program, proxyCpu, proxyMemory }: TapRequest): object {
  const usual =
    program === 'wire' ? { requested: '20Mi', limit: '128Mi' } : { requested: '128Mi', limit: '512Mi' };
  const limit = proxyMemory ?? usual.limit;
  const memory = parseMemory(limit) < parseMemory(usual.requested) ? limit : usual.requested;
  return { requests: { cpu: '50m', memory }, limits: { cpu: proxyCpu ?? '1', memory: limit } };
}

/** Kubernetes expands `$(NAME)` in a container's args and environment, and reads `$$` as one `$`. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

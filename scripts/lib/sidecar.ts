import { createHash } from 'node:crypto';
import type { Workload } from './kubernetes.ts';
import type { TapRequest } from './plan.ts';
import { refuseTakenPorts } from './port.ts';
import type { TapRecord } from './record.ts';
import type { Templates } from './template.ts';

/** The name of the proxy's container: one a Service, so that each is given back on its own. */
export function containerName(service: string): string {
  if (service.length <= 55) return `mittens-${service}`;
  const digest = createHash('sha256').update(service).digest('hex').slice(0, 8);
  return `mittens-${service.slice(0, 46)}-${digest}`;
}

/**
 * The patch that puts the proxy into a workload's pods.
 * @throws UserError when another container has a port that the record gives to the proxy.
 */
export function sidecarPatch(
  workload: Workload,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): unknown {
  refuseTakenPorts(workload, record);
  const apps = workload.spec.template.spec.containers.filter(({ name }) => name !== record.container);
  return templates.render('sidecar', {
    resourceVersion: workload.metadata.resourceVersion,
    order: [...apps.map(({ name }) => ({ name })), { name: record.container }],
    container: record.container,
    program: request.program,
    image: request.image,
    imagePullPolicy: request.imagePullPolicy,
    args: mitmproxyArgs(record, request).map(literal),
    addon: literal(templates.read('mittens.py')),
    ports: record.ports.map(({ listenPort }) => ({ containerPort: listenPort, protocol: 'TCP' })),
    listenPort: record.ports[0]?.listenPort,
  });
}

function mitmproxyArgs(record: TapRecord, request: TapRequest): string[] {
  const ports = record.ports.map((port) => `${port.listenPort}=${port.scheme}:${port.appPort}`);
  const options = [
    'confdir=/tmp/mitmproxy',
    // The addon opens the ports, once the app listens on its own, and sets the mode.
    'server=false',
    `mittens_ports=${ports.join(',')}`,
    'keep_host_header=true',
    // The list shows the name that the client asked for, not localhost.
    'showhost=true',
    // Otherwise every readiness probe would open a connection to the app.
    'connection_strategy=lazy',
    // A Service of type LoadBalancer brings clients from public addresses, which mitmproxy blocks otherwise.
    'block_global=false',
    // What the app would have to judge is not for the proxy to refuse.
    'validate_inbound_headers=false',
    'ssl_insecure=true',
    'stream_large_bodies=5m',
  ];
  // The container's log is not for what the file has.
  if (request.program === 'mitmdump') options.push('flow_detail=0', 'termlog_verbosity=warn');
  return [...options.flatMap((option) => ['--set', option]), ...request.mitmproxyArgs];
}

/** Kubernetes expands `$(NAME)` in a container's args and environment, and reads `$$` as one `$`. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

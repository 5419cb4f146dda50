import { createHash } from 'node:crypto';
import type { Templates, Values } from '../util/template.ts';
import { type PodGroup, portsArgument } from './ports.ts';
import type { TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';

/**
 * The name of the proxy's container: one a Service, so that each is given back on its own. An ephemeral container
 * stays in its pod's history, so that it needs a name of its own for each tap, by its id.
 */
export function containerName(service: string, id?: string): string {
  const name = id ? `${service}-${id}` : service;
  if (name.length <= 55) return `mittens-${name}`;
  const digest = createHash('sha256').update(service).digest('hex').slice(0, 8);
  const end = id ? `${digest}-${id}` : digest;
  return `mittens-${service.slice(0, 54 - end.length)}-${end}`;
}

/** What both templates of the proxy's container need. */
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
    args: commandLine(pods, record, request).map(literal),
    addon: literal(templates.read('mittens.py')),
    files: request.files.map(({ name, content }, number) => ({
      name: `MITTENS_FILE_${number}`,
      value: `${name} ${content}`,
    })),
  };
}

function commandLine(pods: PodGroup, record: TapRecord, request: TapRequest): string[] {
  const options = [
    'confdir=/tmp/mitmproxy',
    // The addon opens the ports, once the app listens on its own.
    'server=false',
    portsArgument(pods, record),
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
  if (record.program === 'mitmdump') options.push('flow_detail=0', 'termlog_verbosity=warn');
  if (record.web) options.push(`web_port=${record.web.port}`, `mittens_web_token=${record.web.token}`);
  if (record.tlsSecret) options.push('certs=*=/tmp/mittens.tls.pem');
  if (record.clientTlsSecret) options.push('client_certs=/tmp/mittens.client.pem');
  if (request.forwarded) options.push('mittens_forwarded=true');
  return [
    ...[record.program, '--scripts', '/tmp/mittens.py'],
    ...options.flatMap((option) => ['--set', option]),
    // templates/start.sh writes the files.
    ...request.files.flatMap(({ flag, name }, number) => [flag, `/tmp/mittens.files/${number}/${name}`]),
    ...request.mitmproxyArgs,
  ];
}

/** Kubernetes expands `$(NAME)` in a container's args and environment, and reads `$$` as one `$`. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

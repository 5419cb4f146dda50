import type { ServicePort } from '../kube/objects.ts';

/** How the proxy reads a connection. `auto` decides by the first bytes of each connection. */
export const PROTOCOLS = ['auto', 'http', 'https', 'h2c', 'tcp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/**
 * appProtocol and port names of protocols in which the server may speak first, or which mitmproxy mistakes for
 * others: https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol,
 * and the names that Istio reads, https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/.
 */
const OPAQUE = [
  ...['tcp', 'amqp', 'cassandra', 'ftp', 'imap', 'kafka', 'ldap', 'memcached', 'mongo', 'mongodb', 'mqtt'],
  ...['mysql', 'nats', 'pop3', 'postgres', 'postgresql', 'redis', 'smtp', 'ssh'],
];
const ENCRYPTED = ['https', 'tls', 'wss', 'kubernetes.io/wss', 'grpcs'];

/**
 * The protocol of a Service's port when the user names none. Only opaque protocols are chosen by name: the proxy
 * detects HTTP and plaintext HTTP/2 by itself.
 */
export function chooseProtocol(port: ServicePort): Protocol {
  return names(port).some((name) => OPAQUE.includes(name)) ? 'tcp' : 'auto';
}

/** Whether the clients of a port speak TLS, according to its protocol, its name, or the number 443. */
export function isEncrypted(port: ServicePort): boolean {
  const named = names(port).some((name) => ENCRYPTED.includes(name));
  return named || (port.appProtocol === undefined && port.port === 443);
}

/** appProtocol, or else the port's name up to its first dash, as Istio reads it. */
function names({ appProtocol, name }: ServicePort): string[] {
  if (appProtocol) return [appProtocol.toLowerCase()];
  return name ? [name.toLowerCase(), name.toLowerCase().split('-')[0] ?? ''] : [];
}

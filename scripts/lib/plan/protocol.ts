import type { ServicePort } from '../kube/objects.ts';

/** How the proxy takes what comes: `auto` looks at how each connection begins. */
export const PROTOCOLS = ['auto', 'http', 'https', 'h2c', 'tcp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/**
 * Protocols by the names that Services give them, in which the server may speak first, or that mitmproxy would take
 * for another: https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol, and the names
 * that Istio reads, https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/.
 */
const OPAQUE = [
  ...['tcp', 'amqp', 'cassandra', 'ftp', 'imap', 'kafka', 'ldap', 'memcached', 'mongo', 'mongodb', 'mqtt'],
  ...['mysql', 'nats', 'pop3', 'postgres', 'postgresql', 'redis', 'smtp', 'ssh'],
];
const ENCRYPTED = ['https', 'tls', 'wss', 'kubernetes.io/wss', 'grpcs'];

/**
 * How a Service's port is proxied, where the user leaves it to us. A name never makes us read what a client did not
 * send: what is HTTP, or HTTP/2 in plaintext, the proxy sees by itself.
 */
export function chooseProtocol(port: ServicePort): Protocol {
  return names(port).some((name) => OPAQUE.includes(name)) ? 'tcp' : 'auto';
}

/** Whether a Service's port says that its clients speak TLS, by its name, or else by the number of HTTPS. */
export function isEncrypted(port: ServicePort): boolean {
  const named = names(port).some((name) => ENCRYPTED.includes(name));
  return named || (port.appProtocol === undefined && port.port === 443);
}

/** appProtocol, or else the port's name up to its first dash, as Istio reads it. */
function names({ appProtocol, name }: ServicePort): string[] {
  if (appProtocol) return [appProtocol.toLowerCase()];
  return name ? [name.toLowerCase(), name.toLowerCase().split('-')[0] ?? ''] : [];
}

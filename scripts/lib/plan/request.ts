import type { Protocol } from './protocol.ts';
import type { TapRecord } from './record.ts';

/** What the user asks for. */
export interface TapRequest {
  readonly mode: TapRecord['mode'];
  readonly program: TapRecord['program'];
  /** Port numbers or names; empty means the only port. */
  readonly ports: readonly string[];
  /** undefined: by what the Service declares for each port. */
  readonly protocol: Protocol | undefined;
  /** The port on which the proxy listens; undefined: the first free port from 7777 on. */
  readonly listenPort: number | undefined;
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Whether the request only adds ports to a tap that is on. */
  readonly addsPorts: boolean;
  /** The only pod that shall get the Service's traffic; undefined for all. */
  readonly pod: string | undefined;
  /** Whether pods that do not follow their template by themselves may be evicted. */
  readonly replacePods: boolean;
  /** Secrets with the certificates for clients and for the app. */
  readonly tlsSecret: string | undefined;
  readonly clientTlsSecret: string | undefined;
  /** Whether a connection that mitmproxy can't serve is reset, where it would change it, instead of relayed. */
  readonly failClosed: boolean;
  /** The share of connections that are shown, in percent. */
  readonly sample: number | undefined;
  /** Limits of the proxy's container, as Kubernetes writes them; undefined: the default. */
  readonly proxyCpu: string | undefined;
  readonly proxyMemory: string | undefined;
  /** Whether the proxy adds X-Forwarded-For and X-Forwarded-Proto. */
  readonly forwarded: boolean;
  /** Files that are sent to the pods. */
  readonly files: readonly SentFile[];
  /** More arguments for mitmproxy. */
  readonly mitmproxyArgs: readonly string[];
}

/** A file of the user. It goes to the pods in an environment variable, so that no ConfigMap is needed. */
export interface SentFile {
  /** mitmproxy's flag for it. */
  flag: '--scripts' | '--server-replay';
  /** The name of the user's file, in characters that shells and Python take as they are. */
  name: string;
  /** gzip, in Base64. */
  content: string;
}

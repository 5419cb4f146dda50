import type { Protocol } from './protocol.ts';
import type { TapRecord } from './record.ts';

/** What the user asked for. */
export interface TapRequest {
  readonly mode: TapRecord['mode'];
  readonly program: TapRecord['program'];
  /** Port numbers or names; none means the only one. */
  readonly ports: readonly string[];
  /** undefined means what the Service says of each port. */
  readonly protocol: Protocol | undefined;
  /** Where the proxy listens; undefined means 7777, or above it the first that is free. */
  readonly listenPort: number | undefined;
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Whether ports are added to a tap that is on, whose proxies otherwise go on as they are. */
  readonly addsPorts: boolean;
  /** The one pod that shall get the Service's traffic. */
  readonly pod: string | undefined;
  /** Whether pods that do not follow their template may be evicted. */
  readonly replacePods: boolean;
  /** Secrets with certificates for clients, and for the app. */
  readonly tlsSecret: string | undefined;
  readonly clientTlsSecret: string | undefined;
  /** Whether the app is told by X-Forwarded-For and -Proto who asks, and how. */
  readonly forwarded: boolean;
  /** Sent along. */
  readonly files: readonly SentFile[];
  /** For mitmproxy itself. */
  readonly mitmproxyArgs: readonly string[];
}

/** A file of the user's that goes to the pods in an environment variable: nothing else of ours is in the cluster. */
export interface SentFile {
  /** mitmproxy's flag for it. */
  flag: '--scripts' | '--server-replay';
  /** By which mitmproxy speaks of it: the user's, in letters that every shell and Python takes as they are. */
  name: string;
  /** gzip in Base64. */
  content: string;
}

import type { Protocol } from './protocol.ts';
import type { TapRecord } from './record.ts';

/** What the user asked for. */
export interface TapRequest {
  mode: TapRecord['mode'];
  program: TapRecord['program'];
  /** Port numbers or names; none means the only one. */
  ports: string[];
  /** undefined means what the Service says of each port. */
  protocol: Protocol | undefined;
  /** Where the proxy listens; undefined means 7777, or above it the first that is free. */
  listenPort: number | undefined;
  image: string;
  imagePullPolicy: string;
  /** Whether ports are added to a tap that is on, whose proxies otherwise go on as they are. */
  addsPorts: boolean;
  /** The one pod that shall get the Service's traffic. */
  pod: string | undefined;
  /** Whether pods that do not follow their template may be evicted. */
  replacePods: boolean;
  /** Secrets with certificates for clients, and for the app. */
  tlsSecret: string | undefined;
  clientTlsSecret: string | undefined;
  /** Whether the app is told by X-Forwarded-For and -Proto who asks, and how. */
  forwarded: boolean;
  /** Sent along. */
  files: SentFile[];
  /** For mitmproxy itself. */
  mitmproxyArgs: string[];
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

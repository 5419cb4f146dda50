import { readFileSync } from 'node:fs';

/** What a peer serves by its environment: PORT in plaintext, TLS_PORT in TLS, on all addresses or only on HOST. */
export interface Serving {
  host: string | undefined;
  port: number | undefined;
  tlsPort: number | undefined;
  tls: Tls | undefined;
}

interface Tls {
  key: Buffer;
  cert: Buffer;
  /** Clients must show a certificate of this authority's. */
  ca: Buffer | undefined;
}

/** Reads HOST, PORT, and TLS_PORT with the files TLS_KEY, TLS_CERT and, to ask clients for a certificate, TLS_CA. */
export function serving(): Serving {
  const { HOST, PORT, TLS_PORT, TLS_KEY = '', TLS_CERT = '', TLS_CA } = process.env;
  return {
    host: HOST || undefined,
    port: PORT ? Number(PORT) : undefined,
    tlsPort: TLS_PORT ? Number(TLS_PORT) : undefined,
    tls: TLS_PORT
      ? {
          key: readFileSync(TLS_KEY),
          cert: readFileSync(TLS_CERT),
          ca: TLS_CA ? readFileSync(TLS_CA) : undefined,
        }
      : undefined,
  };
}

/** Tells whoever started it that it listens. */
export function sayReady(): void {
  console.log('ready');
}

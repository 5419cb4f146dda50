import { connect, createServer, type Server, type Socket } from 'node:net';

interface Address {
  ip: string;
  port: number;
}

/** A Service's port and its endpoints. */
export interface Route extends Address {
  endpoints: Address[];
}

/** Forwards connections to a ClusterIP to one of the Service's endpoints, as kube-proxy does. */
export class ServiceProxy {
  readonly #listeners = new Map<string, { server: Server; endpoints: Address[] }>();

  /** Replaces all routes. Open connections stay; a port without endpoints refuses new ones. */
  follow(routes: Route[]): void {
    const open = routes.filter(({ endpoints }) => endpoints.length > 0);
    const keys = new Set(open.map(formatAddress));
    for (const [key, { server }] of this.#listeners) {
      if (keys.has(key)) continue;
      this.#listeners.delete(key);
      close(server);
    }
    for (const route of open) {
      const listener = this.#listeners.get(formatAddress(route));
      if (listener) listener.endpoints = route.endpoints;
      else this.#listen(route);
    }
  }

  #listen(route: Route): void {
    const listener = { server: createServer(OPTIONS), endpoints: route.endpoints };
    listener.server.on('connection', (client) => {
      const { endpoints } = listener;
      const endpoint = endpoints[Math.floor(Math.random() * endpoints.length)];
      if (endpoint) join(client, endpoint);
    });
    listener.server.on('error', (error) =>
      console.error(`the ClusterIP ${formatAddress(route)} fails:`, error),
    );
    listener.server.listen(route.port, route.ip, 1024);
    this.#listeners.set(formatAddress(route), listener);
  }
}

const OPTIONS = { allowHalfOpen: true, noDelay: true };

function formatAddress({ ip, port }: Address): string {
  return `${ip}:${port}`;
}

function close(server: Server): void {
  // A server that does not listen yet cannot be closed.
  if (server.listening) server.close();
  else server.once('listening', () => server.close());
}

/** Joins two connections: data, end and reset pass both ways. */
function join(client: Socket, { ip, port }: Address): void {
  const endpoint = connect({ host: ip, port, ...OPTIONS });
  for (const [from, to] of [
    [client, endpoint],
    [endpoint, client],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => to.destroySoon());
  }
}

import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { StatusError } from '../objects/status.ts';
import type { Change, Store } from '../store/store.ts';

export interface WatchOptions {
  namespace?: string | undefined;
  test(object: KubeObject): boolean;
  /** The version after which to send changes; 0 sends all objects first. */
  since: number;
  timeoutSeconds?: number | undefined;
  /** Converts an object to what is sent, for example a Table. */
  render(object: KubeObject): object;
}

/** Sends changes as lines of JSON until the client disconnects or the time is over. */
export function watch(
  store: Store,
  resource: Resource,
  response: ServerResponse,
  options: WatchOptions,
): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const send = (type: string, object: object) => response.write(`${JSON.stringify({ type, object })}\n`);
  const tell = (change: Change) => {
    const type = typeFor(change, resource, options);
    if (type) send(type, options.render(change.object));
  };
  const missed = store.since(options.since);
  if (options.since === 0) {
    for (const object of store.list(resource, options.namespace))
      if (options.test(object)) send('ADDED', options.render(object));
  } else if (!missed) {
    const message = `too old resource version: ${options.since} (${store.version})`;
    send('ERROR', new StatusError(410, 'Expired', message).toStatus());
    response.end();
    return;
  } else missed.forEach(tell);
  const stop = store.subscribe(tell);
  const timer = setTimeout(() => response.end(), (options.timeoutSeconds ?? 1800) * 1000);
  response.on('close', () => {
    stop();
    clearTimeout(timer);
  });
}

/** The type of a change for a watcher that sees only objects that pass its filter. */
function typeFor(change: Change, resource: Resource, { namespace, test }: WatchOptions): string | undefined {
  if (change.resource !== resource) return undefined;
  if (namespace && change.object.metadata.namespace !== namespace) return undefined;
  const is = change.type !== 'DELETED' && test(change.object);
  const was = change.old !== undefined && test(change.old);
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

import type { Service } from '../kube/objects.ts';
import { describePort } from '../plan/ports.ts';
import { targetId } from '../plan/target-id.ts';
import { askFor } from '../util/prompt.ts';

/** The ports to tap; asks for one when the Service has several and the user named none. */
export async function pickPorts(
  service: Service,
  ports: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const all = service.spec.ports ?? [];
  if (ports.length > 0 || all.length < 2) return ports;
  const numbers = all.map(({ port }) => String(port));
  const question = `${targetId(service)} has several ports`;
  const answer = await askFor(question, numbers, signal, all.map(describePort));
  return answer === undefined ? [] : [answer];
}

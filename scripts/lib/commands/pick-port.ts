import type { Service } from '../kube/objects.ts';
import { describePort } from '../plan/ports.ts';
import { targetId } from '../plan/target-id.ts';
import { askFor } from '../util/prompt.ts';

/** Asks which of a Service's ports is meant, where it has several and none is named. */
export async function askWhichPort(
  service: Service,
  ports: string[],
  signal: AbortSignal,
): Promise<string[]> {
  const all = service.spec.ports ?? [];
  if (ports.length > 0 || all.length < 2) return ports;
  const numbers = all.map(({ port }) => String(port));
  const question = `${targetId(service)} has several ports`;
  const answer = await askFor(question, numbers, signal, all.map(describePort));
  return answer === undefined ? [] : [answer];
}

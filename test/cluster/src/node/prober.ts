import { setTimeout as wait } from 'node:timers/promises';
import type { ContainerSpec } from '../objects/container-spec.ts';
import type { ProbeKind, ProbeResult } from './probe.ts';

/** Runs probes, and receives their results. */
export interface ProbeListener {
  ask(kind: ProbeKind, probe: ContainerSpec): Promise<ProbeResult>;
  /** Called for each failed probe. */
  unhealthy(message: string): void;
  started(): void;
  ready(is: boolean): void;
  /** The container has to be restarted. */
  failed(kind: 'startup' | 'liveness'): void;
}

/** Probes a running container until it has failed or the signal aborts. */
export async function followProbes(
  container: ContainerSpec,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  // The other probes wait for the startup probe.
  if (startupProbe) {
    const { value: good, done } = await repeatProbe('Startup', startupProbe, listener, signal).next();
    if (!done && !good) listener.failed('startup');
    if (!good) return;
  }
  if (signal.aborted) return;
  listener.started();
  if (!readinessProbe) listener.ready(true);
  await Promise.all([
    readinessProbe && followReadiness(readinessProbe, listener, signal),
    livenessProbe && followLiveness(livenessProbe, listener, signal),
  ]);
}

async function followReadiness(
  probe: ContainerSpec,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  for await (const good of repeatProbe('Readiness', probe, listener, signal)) listener.ready(good);
}

async function followLiveness(
  probe: ContainerSpec,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  for await (const good of repeatProbe('Liveness', probe, listener, signal)) {
    if (good) continue;
    listener.failed('liveness');
    return;
  }
}

/** Repeats a probe; yields true or false whenever it succeeded or failed often enough in a row. */
async function* repeatProbe(
  kind: ProbeKind,
  probe: ContainerSpec,
  { ask, unhealthy }: ProbeListener,
  signal: AbortSignal,
): AsyncGenerator<boolean, undefined> {
  const { initialDelaySeconds = 0, periodSeconds, successThreshold, failureThreshold } = probe;
  await pause(initialDelaySeconds, signal);
  let good = 0;
  let bad = 0;
  for (; !signal.aborted; await pause(periodSeconds, signal)) {
    const { ok, message } = await ask(kind, probe);
    if (signal.aborted) return;
    [good, bad] = ok ? [good + 1, 0] : [0, bad + 1];
    if (!ok) unhealthy(message);
    if (good >= successThreshold) yield true;
    if (bad >= failureThreshold) yield false;
  }
}

/** Waits, or returns when aborted. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
}

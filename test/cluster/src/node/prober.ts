import { setTimeout as wait } from 'node:timers/promises';
import type { ContainerSpec } from '../objects/container-spec.ts';
import type { ProbeKind, ProbeResult } from './probe.ts';

/** What is done for a container's probes, and with what they find. */
export interface Patient {
  ask(kind: ProbeKind, probe: ContainerSpec): Promise<ProbeResult>;
  /** One answer that was not good. */
  unhealthy(message: string): void;
  started(): void;
  ready(is: boolean): void;
  /** It is to end, and to be started anew. */
  failed(kind: 'startup' | 'liveness'): void;
}

/** Follows a container that runs by its probes, until it has failed or the signal comes. */
export async function follow(container: ContainerSpec, patient: Patient, signal: AbortSignal): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  // The others have to wait for this one.
  if (startupProbe) {
    const { value: good, done } = await verdicts('Startup', startupProbe, patient, signal).next();
    if (!done && !good) patient.failed('startup');
    if (!good) return;
  }
  if (signal.aborted) return;
  patient.started();
  if (!readinessProbe) patient.ready(true);
  await Promise.all([
    readinessProbe && followReadiness(readinessProbe, patient, signal),
    livenessProbe && followLife(livenessProbe, patient, signal),
  ]);
}

async function followReadiness(probe: ContainerSpec, patient: Patient, signal: AbortSignal): Promise<void> {
  for await (const good of verdicts('Readiness', probe, patient, signal)) patient.ready(good);
}

async function followLife(probe: ContainerSpec, patient: Patient, signal: AbortSignal): Promise<void> {
  for await (const good of verdicts('Liveness', probe, patient, signal)) {
    if (good) continue;
    patient.failed('liveness');
    return;
  }
}

/** Asks again and again, and says so whenever the answers have been good, or bad, often enough in a row. */
async function* verdicts(
  kind: ProbeKind,
  probe: ContainerSpec,
  { ask, unhealthy }: Patient,
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

/** Waits, but not past an abort. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
}

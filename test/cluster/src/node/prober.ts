import { setTimeout as wait } from 'node:timers/promises';
import type { ContainerSpec } from '../objects/container-spec.ts';
import type { ProbeKind, ProbeResult } from './probe.ts';

/** Runs probes, and receives their results. */
export interface Patient {
  ask(kind: ProbeKind, probe: ContainerSpec): Promise<ProbeResult>;
  /** Called for each failed probe. */
  unhealthy(message: string): void;
  started(): void;
  ready(is: boolean): void;
  /** The container has to be restarted. */
  failed(kind: 'startup' | 'liveness'): void;
}

/** Probes a running container until it has failed or the signal aborts. */
export async function follow(container: ContainerSpec, patient: Patient, signal: AbortSignal): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  // The other probes wait for the startup probe.
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

/** Repeats a probe; yields true or false whenever it succeeded or failed often enough in a row. */
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

/** Waits, or returns when aborted. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
}

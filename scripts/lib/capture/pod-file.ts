import type { Flow } from '../flow/flow.ts';
import { TnetstringError } from '../flow/tnetstring.ts';
import type { Budget } from '../wire/budget.ts';
import { WireError } from '../wire/frame.ts';

/** A flow that was captured, made of what the file of the pod has when it is asked for. */
export interface CapturedFlow {
  /** As mitmproxy writes it. */
  readonly bytes: Buffer;
  readonly flow: Flow;
}

/** What the proxy of a run writes in its pod, and how flows are made of it while it grows. */
export interface PodFile {
  /** Its path in the pod. */
  readonly path: string;
  /** How many of its bytes have come. */
  readonly received: number;
  /** How many of them have been read; what follows begins with a whole entry. */
  readonly passed: number;
  /** Whether it has said that nothing follows. */
  readonly isOver: boolean;
  /**
   * Takes its next bytes, and gives the flows that they complete.
   * @throws an error that describeDamage knows, for bytes of another format.
   */
  push(chunk: Buffer): Generator<CapturedFlow>;
  /** Nothing more comes: gives the flows that are still open, as they are. */
  end(): Generator<CapturedFlow>;
  /** What is missing, in words that follow the name of the pod. */
  listOmissions(): string[];
}

/** How a capture reads all of its files. */
export interface Reading {
  /** What is kept of each body or message, in bytes, where the proxy does not cut them itself. */
  bodyLimit: number | undefined;
  /** What the connections that are open in all pods may take in memory. */
  budget: Budget;
}

/** @returns undefined for an error that no file's bytes cause. */
export function describeDamage(error: unknown): string | undefined {
  return error instanceof TnetstringError || error instanceof WireError ? error.message : undefined;
}

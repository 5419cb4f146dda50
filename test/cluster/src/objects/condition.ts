import { now } from './object.ts';

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
  observedGeneration?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: the statuses of all kinds
export function findCondition(status: any, type: string): Condition | undefined {
  return status?.conditions?.find((condition: Condition) => condition.type === type);
}

/** Sets a condition; its transition time stays while its status stays. */
export function withCondition(conditions: Condition[] = [], condition: Condition): Condition[] {
  const old = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now()) : now();
  const same =
    old &&
    old.reason === condition.reason &&
    old.message === condition.message &&
    old.observedGeneration === condition.observedGeneration &&
    old.status === condition.status;
  const next = same ? old : { ...condition, lastTransitionTime };
  return [...conditions.filter(({ type }) => type !== condition.type), next];
}

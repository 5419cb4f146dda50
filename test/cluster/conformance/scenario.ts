import type { Trial } from './trial.ts';

/** Steps that are taken on both clusters; what they come to must be the same. */
export interface Scenario {
  name: string;
  run(trial: Trial): Promise<void>;
}

export function scenario(name: string, run: (trial: Trial) => Promise<void>): Scenario {
  return { name, run };
}

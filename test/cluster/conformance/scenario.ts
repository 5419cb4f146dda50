import type { Trial } from './trial.ts';

/** Steps that run on both clusters; their results must be equal. */
export interface Scenario {
  name: string;
  run(trial: Trial): Promise<void>;
}

export function scenario(name: string, run: (trial: Trial) => Promise<void>): Scenario {
  return { name, run };
}

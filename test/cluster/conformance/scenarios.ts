import { deletes } from './deletes.ts';
import { pods } from './pods.ts';
import { reads } from './reads.ts';
import { rights } from './rights.ts';
import type { Scenario } from './scenario.ts';
import { services } from './services.ts';
import { streams } from './streams.ts';
import { validation } from './validation.ts';
import { workloads } from './workloads.ts';
import { writes } from './writes.ts';

/** All scenarios, the longest first. */
export const scenarios: Scenario[] = [
  ...workloads,
  ...pods,
  ...deletes,
  ...streams,
  ...services,
  ...reads,
  ...rights,
  ...validation,
  ...writes,
];

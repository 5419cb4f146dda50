import type { Kubelet } from '../node/kubelet.ts';
import type { Registry } from '../store/registry.ts';

/** What stands behind the API. */
export interface Backend {
  registry: Registry;
  kubelet: Kubelet;
  /** Who has it may do everything. */
  token: string;
}

import type { Kubelet } from '../node/kubelet.ts';
import type { Registry } from '../store/registry.ts';

/** What the API server serves. */
export interface Backend {
  registry: Registry;
  kubelet: Kubelet;
  /** The administrator's token. */
  token: string;
}

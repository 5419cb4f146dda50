import assert from 'node:assert/strict';
import { execute } from '../execute.ts';

/**
 * The cluster under test. To import this module asks it what it can do, so it must be one that test/run.ts started, or
 * that its user named: never the one that a kubeconfig happens to name.
 */

const { KUBECONFIG, MITTENS_TEST_KUBECONFIG } = process.env;
if (!KUBECONFIG || KUBECONFIG !== MITTENS_TEST_KUBECONFIG)
  throw new Error('end-to-end tests need a cluster of their own: make e2e, or make e2e CONTEXT=kind-x');

/** Runs kubectl, which must not fail. @returns its stdout. */
export async function kubectl(args: string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await execute('kubectl', args, input);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Where the pocket cluster is told which requests shall fail; a real cluster has no such path. */
export const FAULTS = '/pocket/faults';

const [faults, core, version, groups] = await Promise.all(
  [FAULTS, '/api/v1', '/version', '/apis'].map(
    async (path) => await execute('kubectl', ['get', '--raw', path]),
  ),
);

export const isPocket = faults?.code === 0;

/** Whether pods can get ephemeral containers, without which --no-restart is refused: Kubernetes 1.25 and later. */
export const hasEphemeral = /"pods\/ephemeralcontainers"[^}]*"kind":"Pod"/.test(core?.stdout ?? '');

/** Whether init containers can run beside the others: Kubernetes 1.29 and later. */
export const hasNativeSidecars = Number(/"minor": *"(\d+)/.exec(version?.stdout ?? '')?.[1]) >= 29;

/** The API version of PodDisruptionBudgets: v1 from Kubernetes 1.21 on. */
export const policy = hasGroup('policy/v1') ? 'policy/v1' : 'policy/v1beta1';

/** The API version of HorizontalPodAutoscalers: v2 from Kubernetes 1.23 on. */
export const autoscaling = hasGroup('autoscaling/v2') ? 'autoscaling/v2' : 'autoscaling/v1';

function hasGroup(groupVersion: string): boolean {
  return (groups?.stdout ?? '').includes(`"groupVersion":"${groupVersion}"`);
}

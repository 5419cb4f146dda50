import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerStatus } from '../../scripts/lib/kube/objects.ts';
import { findPodTrouble } from '../../scripts/lib/kube/trouble.ts';
import { pod } from './objects.ts';

const status = (name: string, parts: Partial<ContainerStatus>): ContainerStatus => ({
  name,
  ready: false,
  restartCount: 0,
  image: 'image:1',
  ...parts,
});
const app = status('app', { ready: true, state: { running: {} } });
const waiting = (name: string, reason: string) =>
  status(name, { state: { waiting: { reason, message: 'why' } } });

function trouble(containerStatuses: ContainerStatus[]) {
  return findPodTrouble(pod({ containerStatuses }), 'mittens-web', 0);
}

describe('podTrouble', () => {
  it('podTrouble finds nothing wrong with a pod that starts or is ready', () => {
    assert.equal(trouble([]), undefined);
    assert.equal(trouble([app, waiting('mittens-web', 'ContainerCreating')]), undefined);
    assert.equal(trouble([app, status('mittens-web', { ready: true, state: { running: {} } })]), undefined);
  });

  for (const reason of [
    'ErrImagePull',
    'ImagePullBackOff',
    'InvalidImageName',
    'CreateContainerConfigError',
    'CrashLoopBackOff',
  ]) {
    it(`${reason} is fatal, and the message names the container and the image`, () => {
      const found = trouble([app, waiting('mittens-web', reason)]);
      assert.deepEqual(found, {
        text: `pod/web-1, container mittens-web: ${reason}, image image:1: why`,
        fatal: true,
        log: { pod: 'web-1', container: 'mittens-web' },
      });
    });
  }

  it('a proxy that exited once is fatal, an app that exited is not', () => {
    const ended = { state: { terminated: { exitCode: 3 } } };
    assert.match(trouble([app, status('mittens-web', ended)])?.text ?? '', /ended with exit code 3/);
    assert.equal(
      trouble([status('app', ended), status('mittens-web', { state: { running: {} } })]),
      undefined,
    );
  });

  it('a proxy that waits for the port of the app is reported, and is not fatal', () => {
    const found = trouble([app, status('mittens-web', { state: { running: {} } })]);
    assert.deepEqual(found, { text: "pod/web-1: nothing listens on the app's port yet", fatal: false });
  });

  it('an unschedulable pod is fatal only after ten seconds', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
    ];
    assert.equal(findPodTrouble(pod({ conditions }), 'mittens-web', 5_000)?.fatal, false);
    const found = findPodTrouble(pod({ conditions }), 'mittens-web', 15_000);
    assert.deepEqual(found, { text: "pod/web-1 can't be scheduled: 0/1 nodes", fatal: true });
  });
});

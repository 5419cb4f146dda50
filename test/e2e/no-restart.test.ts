import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Capture, flowsIn } from './capture.ts';
import { hasEphemeral, Namespace } from './namespace.ts';
import { mittens } from './terminal.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
const OBJECTS = ['service/web', 'deployment/web'];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', replicas: 2, env: { DRAIN_MS: '8000' } });
  await shop.service('web', [{ name: 'http', port: 80, targetPort: 'http' }]);
});
after(async () => {
  await shop.delete();
  rmSync(folder, { recursive: true });
});

interface Pod {
  metadata: { name: string; labels: Record<string, string> };
  status: {
    startTime: string;
    containerStatuses: { restartCount: number; state: object }[];
    ephemeralContainerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
  };
}

async function pods(): Promise<Pod[]> {
  return (await shop.get<{ items: Pod[] }>('pods', '-l', 'app=web')).items;
}

describe('ten taps without a restart', { skip }, () => {
  const TAPS = 10;
  let original: object[];
  let earlier: Pod[];
  let load: Awaited<ReturnType<Namespace['load']>>;

  before(async () => {
    original = await shop.snapshot(...OBJECTS);
    earlier = await pods();
    load = await shop.load('web');
  });

  for (let tap = 1; tap <= TAPS; tap++) {
    it(`see a request, and leave the Service as it was: ${tap}`, async () => {
      const capture = new Capture(shop, join(folder, `${tap}.mitm`), '--no-restart');
      await capture.records(`/tap/${tap}`);
      const { code, stderr } = await capture.stop();
      assert.equal(code, 130, stderr);
      assert.ok((await flowsIn(capture.file)).some(({ request }) => request?.path === `/tap/${tap}`));
      assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    });
  }

  it('have restarted nothing', async () => {
    const history = (pod: Pod) => ({
      name: pod.metadata.name,
      labels: pod.metadata.labels,
      startTime: pod.status.startTime,
      containers: pod.status.containerStatuses.map(({ restartCount, state }) => ({ restartCount, state })),
    });
    assert.deepEqual((await pods()).map(history), earlier.map(history));
  });

  it('have ended in order, and remain in the history of the pods, of which list knows', async () => {
    for (const { status } of await pods()) {
      const exits = status.ephemeralContainerStatuses?.map(({ state }) => state.terminated?.exitCode);
      assert.deepEqual(exits, Array(TAPS).fill(0));
    }
    const { stderr } = await mittens('list', '-o', 'wide', ...inShop);
    const names = earlier.map(({ metadata }) => `pod/${metadata.name}`);
    assert.match(stderr, new RegExp(`in the history of ${names.join(', ')}, until they are replaced`));
  });

  it('have lost no request', async () => {
    const { sent, failed, proxied } = await load.stop();
    assert.deepEqual(failed, []);
    assert.ok(proxied.length > 0 && proxied.length < sent);
  });
});

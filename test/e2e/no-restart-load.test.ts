import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { Capture, flowsIn } from './capture.ts';
import { hasEphemeral } from './cluster.ts';
import { until } from './until.ts';
import { listWebPods, openWebShop, WEB_OBJECTS, type WebPod } from './web-shop.ts';

const { shop, folder } = openWebShop({ name: 'http', targetPort: 'http' });
const inShop = ['-n', shop.name];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';

describe('ten taps without a restart', { skip }, () => {
  const TAPS = 10;
  let original: object[];
  let earlier: WebPod[];
  let load: Awaited<ReturnType<typeof shop.load>>;

  before(async () => {
    original = await shop.snapshot(...WEB_OBJECTS);
    earlier = await listWebPods(shop);
    load = await shop.load('web', 20);
  });

  for (let tap = 1; tap <= TAPS; tap++) {
    it(`record a request and restore the Service: tap ${tap}`, async () => {
      const capture = new Capture(shop, join(folder, `${tap}.mitm`), '--no-restart');
      await capture.records(`/tap/${tap}`);
      const { code, stderr } = await capture.stop();
      assert.equal(code, 130, stderr);
      assert.ok((await flowsIn(capture.file)).some(({ request }) => request?.path === `/tap/${tap}`));
      assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
    });
  }

  it('have restarted no container', async () => {
    const history = (pod: WebPod) => ({
      name: pod.metadata.name,
      labels: pod.metadata.labels,
      startTime: pod.status.startTime,
      containers: pod.status.containerStatuses.map(({ restartCount, state }) => ({ restartCount, state })),
    });
    assert.deepEqual((await listWebPods(shop)).map(history), earlier.map(history));
  });

  it('have ended with exit code 0, and list says that they remain in the history of the pods', async () => {
    for (const { status } of await listWebPods(shop)) {
      const exits = status.ephemeralContainerStatuses?.map(({ state }) => state.terminated?.exitCode);
      assert.deepEqual(exits, Array(TAPS).fill(0));
    }
    const { stderr } = await mittens('list', '-o', 'wide', ...inShop);
    const names = earlier.map(({ metadata }) => `pod/${metadata.name}`);
    assert.match(stderr, new RegExp(`in the history of ${names.join(', ')}, until the pods are replaced`));
  });

  it('have lost no request', async () => {
    const { sent, failed, proxied } = await load.stop();
    assert.deepEqual(failed, []);
    assert.ok(proxied.length > 0 && proxied.length < sent);
  });
});

describe('a Deployment that is scaled from 2 to 6 and back during a tap', () => {
  const modes = [
    { mode: 'with a sidecar', flags: [], skip: false as const },
    { mode: 'without a restart', flags: ['--no-restart'], skip },
  ];
  for (const { mode, flags, skip } of modes) {
    it(`loses no request, and every proxied one is recorded, ${mode}`, { skip }, async () => {
      const original = await shop.snapshot(...WEB_OBJECTS);
      const load = await shop.load('web', 20);
      const capture = new Capture(shop, join(folder, `scaled${flags.length}.mitm`), ...flags);
      await capture.records('/before');
      await scaleTo(6);
      await capture.records('/between');
      await scaleTo(2);
      await capture.records('/after');
      const ended = await capture.stop();
      assert.equal(ended.code, 130, ended.stderr);
      const { failed, proxied } = await load.stop();
      assert.deepEqual(failed, []);
      const seen = new Set((await flowsIn(capture.file)).map(({ request }) => request?.path));
      assert.deepEqual(
        proxied.filter((number) => !seen.has(`/load?n=${number}`)),
        [],
      );
      assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
    });
  }

  /** Waits until the pods of the Service, and no others, are as many and have a proxy. */
  async function scaleTo(replicas: number): Promise<void> {
    await shop.kubectl('scale', 'deployment/web', `--replicas=${replicas}`);
    await until(`${replicas} pods have a proxy`, async () => {
      if ((await listWebPods(shop)).length !== replicas) return false;
      const { stdout } = await mittens('list', '-o', 'json', ...inShop);
      const { ready, wanted } = JSON.parse(stdout).items[0].pods;
      return ready === replicas && wanted === replicas;
    });
  }
});

describe('a pod whose proxy has ended', { skip }, () => {
  it('makes the capture restore the Service before that pod gets a request', async () => {
    const original = await shop.snapshot(...WEB_OBJECTS);
    const load = await shop.load('web', 20);
    const capture = new Capture(shop, join(folder, 'unserved.mitm'), '--no-restart');
    await capture.records('/before');
    const [{ metadata }] = (await listWebPods(shop)) as [WebPod];
    // Its proxy ends by itself.
    const container = (await findProxy(metadata.name)) ?? '';
    await shop.kubectl(
      'exec',
      metadata.name,
      '-c',
      container,
      '--',
      'sh',
      '-c',
      'kill -USR1 "$(cat /tmp/mittens.pid)"',
    );
    const { code, stderr } = await capture.ended();
    assert.equal(code, 1);
    assert.match(stderr, /error: pod\/web-\S+, container mittens-web-\w+: ended with exit code/);
    await load.stop();
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  async function findProxy(pod: string): Promise<string | undefined> {
    const { status } = await shop.get<WebPod>('pod', pod);
    return status.ephemeralContainerStatuses?.find(({ state }) => !state.terminated)?.name;
  }
});

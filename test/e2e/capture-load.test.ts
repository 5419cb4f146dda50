import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Capture, flowsIn, loadIn, oneTo, pathsIn } from './capture.ts';
import { until } from './until.ts';
import { openWebShop, WEB_OBJECTS } from './web-shop.ts';

const { shop, folder } = openWebShop({ targetPort: 8080 });

/** A capture whose file has this name. */
function capturing(name: string, ...args: string[]): Capture {
  return new Capture(shop, join(folder, name), ...args);
}

describe('a capture', () => {
  let original: object[];

  before(async () => {
    original = await shop.snapshot(...WEB_OBJECTS);
  });

  it('records every request that a proxy answered, and fails none, if it ends under load', async () => {
    const capture = capturing('ends-under-load.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    await capture.recordsLoad(110);
    const { code, stderr } = await capture.stop();
    const { sent, failed, proxied } = await load.stop();
    assert.deepEqual(failed, []);
    assert.equal(code, 130, stderr);
    assert.deepEqual(
      await loadIn(capture.file),
      proxied.sort((a, b) => a - b),
    );
    assert.ok(proxied.length > 100 && proxied.length < sent, `${proxied.length} of ${sent}`);
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  it('records every request while pods come and go', async () => {
    const capture = capturing('rollout.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    // It leaves its time in the pod template.
    await shop.kubectl('rollout', 'restart', 'deployment/web');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.kubectl('scale', 'deployment/web', '--replicas=3');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.kubectl('scale', 'deployment/web', '--replicas=2');
    await until('two pods are left', async () => {
      const { items } = await shop.get<{ items: object[] }>('pods', '-l', 'app=web');
      return items.length === 2;
    });
    const { sent, failed } = await load.stop();
    const { stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.match(stderr, /\d+ flows from 5 pods in /);
    assert.doesNotMatch(stderr, /warning/);
    original = await shop.snapshot(...WEB_OBJECTS);
  });

  it('keeps the requests that a killed pod answered, and says which may be missing', async () => {
    const capture = capturing('killed.mitm');
    await capture.records('/first');
    const pods: string[] = [];
    for (let sent = 0; sent < 20; sent++)
      pods.push(JSON.parse((await shop.request('web', `/kept/${sent}`)).body).pod);
    await until('all are recorded', async () => {
      const paths = await pathsIn(capture.file);
      return paths.filter((path) => path.startsWith('/kept/')).length >= 20;
    });
    await shop.kubectl('delete', `pod/${pods[0]}`, '--force', '--grace-period=0');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.answers('web');
    const { stderr } = await capture.stop();
    const kept = (await pathsIn(capture.file)).filter((path) => path.startsWith('/kept/'));
    assert.equal(new Set(kept).size, 20);
    assert.equal(kept.length, 20);
    assert.match(stderr, new RegExp(`warning: pod ${pods[0]} was killed: its last requests may be missing`));
  });

  it('continues without a gap after its connections to the pods were lost', async () => {
    const capture = capturing('lost.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    for (let times = 0; times < 3; times++) {
      await capture.recordsLoad(60 * (times + 1));
      await capture.loseConnections();
    }
    const { sent, failed } = await load.stop();
    const { stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.doesNotMatch(stderr, /warning/);
  });

  it('continues after a proxy has ended and was started again', async () => {
    const capture = capturing('restarted.mitm');
    await capture.records('/first');
    const { pod } = JSON.parse((await shop.request('web', '/before')).body);
    await until('it is recorded', async () => (await pathsIn(capture.file)).includes('/before'));
    const [container = ''] = (await shop.containers('web')).filter((name) => name.startsWith('mittens-'));
    await shop.kubectl('exec', pod, '-c', container, '--', 'sh', '-c', 'kill -USR1 1');
    const restarts = `jsonpath={.status.containerStatuses[?(@.name=="${container}")].restartCount}`;
    await until(
      'it is started again',
      async () => (await shop.kubectl('get', 'pod', pod, '-o', restarts)) === '1',
    );
    await shop.kubectl('wait', `pod/${pod}`, '--for=condition=Ready', '--timeout=60s');
    const after = async () => JSON.parse((await shop.request('web', '/after')).body).pod === pod;
    await until('the pod answers again', after);
    const { stderr } = await capture.stop();
    assert.doesNotMatch(stderr, /warning/);
    const flows = await flowsIn(capture.file);
    const answered = (path: string) => flows.filter(({ request }) => request?.path === path);
    assert.equal(answered('/before').length, 1);
    assert.ok(answered('/after').some(({ response }) => JSON.parse(String(response?.content)).pod === pod));
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });
});

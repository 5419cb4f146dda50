import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { Capture, flowsIn, loadIn, oneTo, pathsIn } from './capture.ts';
import { hasEphemeral } from './cluster.ts';
import {
  bringPeers,
  everything,
  everythingService,
  PORTS,
  showsPlaintext,
  speakEverything,
} from './peers.ts';
import { until } from './until.ts';
import { listWebPods, openWebShop, WEB_OBJECTS } from './web-shop.ts';

const { shop, folder } = openWebShop({ targetPort: 8080 });
const inShop = ['-n', shop.name];

/** A capture from the wire whose file has this name. */
function capturing(name: string, ...args: string[]): Capture {
  const [service, ...flags] = args[0]?.startsWith('-') === false ? args : ['web', ...args];
  return new Capture(shop, join(folder, name), service ?? 'web', '--engine', 'wire', ...flags);
}

describe('a capture from the wire', () => {
  let original: object[];

  before(async () => {
    original = await shop.snapshot(...WEB_OBJECTS);
  });

  it('records every request of a steady load once, and restores the Service', async () => {
    const capture = capturing('load.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    await capture.recordsLoad(200);
    const { sent, failed } = await load.stop();
    const { code, stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.equal(code, 130, stderr);
    assert.match(stderr, /\d+ flows from 2 pods in .*load\.mitm\n$/);
    assert.doesNotMatch(stderr, /warning/);
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  it('has what clients were answered, byte for byte, by pods in which no mitmproxy runs', async () => {
    const capture = capturing('bodies.mitm');
    await capture.records('/first');
    const { pod } = JSON.parse((await shop.request('web', '/which')).body);
    const [container = ''] = (await shop.containers('web')).filter((name) => name.startsWith('mittens-'));
    const written = ['exec', pod, '-c', container, '--', 'sh', '-c'];
    assert.equal(
      await shop.kubectl(...written, 'cd /tmp; ls mittens.flows mittens.wire 2>&1 | tail -1'),
      'mittens.wire\n',
    );
    const questions = Array.from({ length: 30 }, (_, index) => ({
      path: `/echo/${index}?status=${200 + (index % 3) * 150}`,
      body: index % 2 === 0 ? undefined : `${index} `.repeat(index * 500),
    }));
    const answers = [];
    for (const { path, body } of questions)
      answers.push(await shop.request('web', path, { ...(body && { body }) }));
    await capture.stop();
    const flows = (await flowsIn(capture.file)).filter(({ request }) => request?.path.startsWith('/echo/'));
    assert.equal(flows.length, questions.length);
    for (const [index, { path, body = '' }] of questions.entries()) {
      const flow = flows.find(({ request }) => request?.path === path);
      assert.equal(flow?.response?.status, answers[index]?.status, path);
      assert.ok(flow?.request?.content?.toString() === body, `the body that was sent to ${path}`);
      assert.ok(
        flow.response?.content?.toString() === answers[index]?.body,
        `the body that answered ${path}`,
      );
    }
  });

  it('keeps of bodies what --body-limit says, and of flows what --filter says', async () => {
    const capture = capturing('limited.mitm', '--filter', '~u /first | ~u /wanted', '--body-limit', '100');
    await capture.records('/first');
    await shop.request('web', '/other');
    const { body } = await shop.request('web', '/wanted', { body: 'y'.repeat(5000) });
    assert.ok(body.includes('y'.repeat(5000)), 'the traffic itself is not cut');
    await capture.stop();
    const flows = (await flowsIn(capture.file)).filter(({ request }) => request?.path !== '/first');
    assert.deepEqual(
      flows.map(({ request }) => [request?.path, request?.content?.toString()]),
      [['/wanted', 'y'.repeat(100)]],
    );
    assert.match(flows[0]?.comment ?? '', /cut to 100 bytes/);
  });

  it('keeps the requests that a killed pod answered, and says which may be missing', async () => {
    const capture = capturing('killed.mitm');
    await capture.records('/first');
    const pods: string[] = [];
    for (let sent = 0; sent < 20; sent++)
      pods.push(JSON.parse((await shop.request('web', `/kept/${sent}`)).body).pod);
    const kept = async () => (await pathsIn(capture.file)).filter((path) => path.startsWith('/kept/'));
    await until('all are recorded', async () => (await kept()).length >= 20);
    await shop.kubectl('delete', `pod/${pods[0]}`, '--force', '--grace-period=0');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.answers('web');
    const { stderr } = await capture.stop();
    assert.deepEqual((await kept()).sort(), Array.from({ length: 20 }, (_, sent) => `/kept/${sent}`).sort());
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

  it('records every request without a restart, and leaves the pods as they are', {
    skip: hasEphemeral ? false : 'this Kubernetes has no ephemeral containers',
  }, async () => {
    const names = async () => (await listWebPods(shop)).map(({ metadata }) => metadata.name).sort();
    // The pods of the tap before take long to end.
    await shop.proxiesGone();
    const before = await names();
    const capture = capturing('no-restart.mitm', '--no-restart');
    await capture.records('/first');
    const load = await shop.load('web');
    await capture.recordsLoad(110);
    const { sent, failed } = await load.stop();
    const { code, stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.equal(code, 130, stderr);
    assert.doesNotMatch(stderr, /warning/);
    assert.deepEqual(await names(), before);
  });

  it('is shown by list, excludes a second capture and a session, and ends when another user restores the Service', async () => {
    const capture = capturing('owned.mitm');
    await capture.records('/first');
    for (const result of [
      await mittens('capture', 'web', ...inShop, '-o', join(folder, 'second.mitm')),
      await mittens('on', 'web', ...inShop, '--detach'),
    ]) {
      assert.equal(result.code, 1);
      assert.match(
        result.stderr,
        /service\/web is being captured, by .*@.* since .*\nhint: wait until it ends/,
      );
    }
    assert.ok(!existsSync(join(folder, 'second.mitm')));
    assert.match((await mittens('list', ...inShop, '-o', 'wide')).stdout, /^web .* wire /m);
    const { stderr: saved } = await mittens('off', 'web', ...inShop);
    assert.match(saved, /[1-9]\d* flows are saved in /);
    const { code, stderr } = await capture.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /someone else restored the Service/);
    assert.ok((await pathsIn(capture.file)).includes('/first'));
  });
});

describe('a capture from the wire of an app that speaks everything', () => {
  it('shows gRPC, WebSockets, server-sent events and TCP, and passes TLS on', async () => {
    await bringPeers(shop);
    await everythingService(shop, 'all');
    await shop.apply(everything({ name: 'all', replicas: 1, env: {} }));
    await shop.kubectl('rollout', 'status', 'deployment/all', '--timeout=120s');
    await shop.answers('all');
    const original = await shop.snapshot('service/all', 'deployment/all');
    const capture = capturing('all.mitm', 'all', ...PORTS.flatMap(({ name }) => ['--port', name]));
    await capture.records('/first');
    await speakEverything(shop, 'all');
    const { stderr } = await capture.stop();
    assert.doesNotMatch(stderr, /warning/);
    showsPlaintext(await flowsIn(capture.file));
    assert.deepEqual(await shop.snapshot('service/all', 'deployment/all'), original);
  });
});

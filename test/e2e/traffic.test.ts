import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { bundleTraffic } from '../traffic/bundle.ts';
import { CASES } from '../traffic/cases.ts';
import { CHANGES } from '../traffic/changes.ts';
import type { Conversation } from '../traffic/client.ts';
import { differences } from '../traffic/compare.ts';
import { isLarge } from '../traffic/script.ts';
import { showFlow } from '../traffic/shown.ts';
import { Capture, flowsIn } from './capture.ts';
import { hasEphemeral, kubectl } from './cluster.ts';
import { nodeContainer } from './manifests.ts';
import { Namespace } from './namespace.ts';
import { until } from './until.ts';

// Every conversation of test/traffic, with the pod itself and through its Service, which is tapped. The Service has
// several ports, so that several are played at a time.

const shop = new Namespace();
const inShop = ['-n', shop.name];
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
const CONTROL = 8100;
const PORTS = Array.from({ length: 12 }, (_, index) => 8101 + index);
const PORT_FLAGS = PORTS.flatMap((port) => ['-p', `${port}`]);
/** For what one side sends to reach the other, in ms; and where some of it never does. */
const [PATIENCE_MS, HASTE_MS] = [30_000, 2_000];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';
const MODES = [
  { mode: 'with a sidecar', flags: [], skip: false as const },
  { mode: 'without a restart', flags: ['--no-restart'], skip },
];

const SMALL = CASES.filter(({ moves }) => !isLarge(moves)).map(({ title }) => title);
const LARGE = CASES.filter(({ moves }) => isLarge(moves)).map(({ title }) => title);

before(async () => {
  await shop.create();
  const data = await bundleTraffic();
  await shop.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'traffic' }, data },
    app(),
    talker(),
  );
  const ports = PORTS.map((port) => ({ name: `p${port}`, port, targetPort: port }));
  await shop.service('talk', ports);
  await shop.kubectl('rollout', 'status', 'deployment/talk', '--timeout=120s');
  await shop.kubectl('wait', 'pod/talker', '--for=condition=Ready', '--timeout=120s');
});
after(async () => {
  await shop.delete();
  rmSync(folder, { recursive: true });
});

const MOUNT = { name: 'traffic', mountPath: '/traffic' };
const VOLUMES = [{ name: 'traffic', configMap: { name: 'traffic' } }];

function app(): object {
  const command = ['node', '/traffic/serve.mjs', PORTS.join(), `${CONTROL}`];
  const readinessProbe = { tcpSocket: { port: CONTROL }, periodSeconds: 1 };
  const spec = {
    terminationGracePeriodSeconds: 20,
    containers: [{ ...nodeContainer('app', command, {}, [MOUNT]), readinessProbe }],
    volumes: VOLUMES,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'talk' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'talk' } },
      template: { metadata: { labels: { app: 'talk' } }, spec },
    },
  };
}

function talker(): object {
  const command = ['node', '-e', 'setInterval(() => {}, 1e6)'];
  const containers = [nodeContainer('talker', command, {}, [MOUNT])];
  const spec = { terminationGracePeriodSeconds: 0, containers, volumes: VOLUMES };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'talker' }, spec };
}

interface Pod {
  metadata: { deletionTimestamp?: string };
  status: { podIP: string };
}

/** The address of the one pod of the app that stays. */
async function podAddress(): Promise<string> {
  return await until('one pod is left', async () => {
    const { items } = await shop.get<{ items: Pod[] }>('pods', '-l', 'app=talk');
    const staying = items.filter(({ metadata }) => !metadata.deletionTimestamp);
    return items.length === 1 && staying[0]?.status.podIP;
  });
}

/** Plays conversations with the app of a pod, by the pod's own address or another one's. */
async function play(
  pod: string,
  host: string,
  titles: string[],
  limitMs = PATIENCE_MS,
): Promise<Conversation[]> {
  const addresses = PORTS.map((port) => ({ host, port }));
  const playing = { control: { host: pod, port: CONTROL }, addresses, limitMs, titles };
  const exec = [...inShop, 'exec', '-i', 'talker', '--', 'node', '/traffic/ask.mjs'];
  const said = await kubectl(exec, JSON.stringify(playing));
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Conversation);
}

/** Waits until all ports of the Service lead to the proxy of a pod: kube-proxy takes a moment to follow. */
async function tapped(pod: string, service: string): Promise<void> {
  await until('the Service leads to the proxy', async () => {
    const played = await play(pod, service, SMALL.slice(0, PORTS.length), HASTE_MS);
    return played.every((conversation) => isProxied(conversation, pod));
  });
}

/** Whether the app saw clients that are in its pod. One that has reset at once has no address any more. */
function isProxied({ app }: Conversation, pod: string): boolean {
  return app.every(({ peer }) => ['', pod, '127.0.0.1', '::1'].includes(peer.replace(/^::ffff:/, '')));
}

/** What differs, by title, of the same conversations through the Service and without it. */
async function compare(pod: string, limitMs = PATIENCE_MS): Promise<Record<string, string[]>> {
  const service = await shop.kubectl('get', 'service', 'talk', '-o', 'jsonpath={.spec.clusterIP}');
  await tapped(pod, service);
  const different: Record<string, string[]> = {};
  for (const titles of [SMALL, LARGE]) {
    const direct = await play(pod, pod, titles);
    const through = new Map((await play(pod, service, titles, limitMs)).map((it) => [it.title, it]));
    for (const conversation of direct) {
      const other = through.get(conversation.title) as Conversation;
      const lines = differences(conversation, other);
      if (!isProxied(other, pod)) lines.push('it did not pass the proxy');
      if (lines.length > 0) different[conversation.title] = lines;
    }
  }
  return different;
}

/** The flows of conversations that are not there as often as they should be. */
function missing(shown: string[]): string[] {
  const left = [...shown];
  const expected = CASES.filter(({ title }) => SMALL.includes(title)).flatMap(({ flows = [] }) => flows);
  return expected.filter((flow) => {
    const at = left.indexOf(flow);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

for (const { mode, flags, skip } of MODES) {
  describe(`a tap ${mode}`, { skip }, () => {
    it('that watches lets client and app see every byte and end as without it, and records what passed', async () => {
      const file = join(folder, `${flags.length}.mitm`);
      const capture = new Capture(shop, file, 'talk', ...PORT_FLAGS, ...flags);
      await capture.says('is tapped');
      const different = await compare(await podAddress()).finally(() => capture.stop());
      assert.deepEqual(different, {});
      assert.deepEqual(missing((await flowsIn(file)).map(showFlow)), []);
    });

    it('that could change bodies changes only what docs/protocols.md names', async () => {
      // Nothing is as large, but it could be changed.
      const options = ['--', '--set', 'body_size_limit=10g'];
      const more = flags.length > 0 ? ['--watch-detached'] : [];
      const on = ['talk', ...PORT_FLAGS, ...flags, ...more, '--detach', ...inShop, ...options];
      const { code, stderr } = await mittens('on', ...on);
      assert.equal(code, 0, stderr);
      const different = await compare(await podAddress(), HASTE_MS).finally(() =>
        mittens('off', 'talk', ...inShop),
      );
      const named = new Set(Object.values(CHANGES).flat());
      const titles = Object.keys(different);
      assert.deepEqual(
        titles.filter((title) => !named.has(title)).map((title) => [title, different[title]]),
        [],
      );
      assert.ok(titles.length > named.size / 2, `only ${titles.length} differ`);
    });
  });
}

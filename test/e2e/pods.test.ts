import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { commandLine, mittens } from '../scripts.ts';
import { hasEphemeral } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';
import { until } from './until.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const OBJECTS = ['service/web', 'deployment/web'];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', replicas: 2, env: { DRAIN_MS: '8000' } });
  await shop.service('web', [{ name: 'http', port: 80, targetPort: 'http' }]);
  await shop.answers('web');
  original = await shop.snapshot(...OBJECTS);
});
after(() => shop.delete());

interface Pod {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
}

async function podNames(): Promise<string[]> {
  const { items } = await shop.get<{ items: Pod[] }>('pods', '-l', 'app=web');
  return items.map(({ metadata }) => metadata.name);
}

/** Which pods answer when a Service is asked so many times. */
async function answering(times: number): Promise<string[]> {
  const bodies: string[] = [];
  for (let n = 0; n < times; n++) bodies.push(JSON.parse((await shop.request('web', `/${n}`)).body).pod);
  return [...new Set(bodies)].sort();
}

describe('a workload', () => {
  it('is an argument that means the Service in front of it', async () => {
    const on = await mittens('on', 'deploy/web', '--detach', ...inShop);
    assert.equal(on.code, 0, on.stderr);
    assert.match(on.stderr, /service\/web in \S+, port 80 \(http\), is tapped/);
    const off = await mittens('off', 'deployment/web', ...inShop);
    assert.deepEqual([off.code, off.stderr.trim().split('\n').at(-1)], [0, 'service/web is restored']);
    assert.deepEqual(await shop.snapshot(...OBJECTS), original);
  });

  it('is refused if there is no Service in front of it', async () => {
    await shop.app({ name: 'alone', replicas: 0 });
    const { code, stderr } = await mittens('on', 'deploy/alone', '--detach', ...inShop);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /no Service that can be tapped is in front of deployment\/alone\nhint: see what each selects: kubectl get services -o wide -n .*\nhint: or tap one pod: .*on\.ts pod\/NAME -n /,
    );
  });

  it('makes on ask which Service is meant if there are several in front of it', async () => {
    await shop.service('other', [{ port: 80, targetPort: 'http' }], { selector: { app: 'web' } });
    const terminal = new Terminal();
    await terminal.start(commandLine('on', ['deploy/web', '--dry-run', ...inShop]));
    await terminal.shows('several Services are in front of deployment/web: service/other, service/web');
    await terminal.type('service/web', 'Enter');
    await terminal.shows(/object: service\/web/);
    await terminal.close();
    await shop.kubectl('delete', 'service/other');
  });
});

describe('one pod that is tapped', { skip }, () => {
  const terminal = new Terminal();
  let pod: string;
  let port: string;

  before(async () => {
    [pod = ''] = await podNames();
    await terminal.start(commandLine('on', [`pod/${pod}`, ...inShop]));
    await terminal.shows('Flows');
    const screen = await terminal.shows(/by 127\.0\.0\.1:\d+, no restart/);
    [, port = ''] = /by 127\.0\.0\.1:(\d+)/.exec(screen) ?? [];
  });
  after(() => terminal.close());

  it('can be reached through a local port, and shows the requests that come through it', async () => {
    const answer = (await (await fetch(`http://127.0.0.1:${port}/forwarded`)).json()) as { pod: string };
    assert.equal(answer.pod, pod);
    await terminal.shows('/forwarded');
  });

  it('does not change its Service', async () => {
    assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    await shop.request('web', '/by-the-service');
    assert.doesNotMatch(await terminal.screen(), /by-the-service/);
  });

  it('is listed', async () => {
    const { stdout } = await mittens('list', ...inShop);
    assert.match(stdout, new RegExp(`\npod/${pod} +8080 +deployment/web +1/1 +ephemeral .* on\n$`));
  });

  it('is restored by q, and only its history shows the proxy', async () => {
    await terminal.type('Q');
    await terminal.shows(`pod/${pod} is restored`);
    await terminal.shows('exit code 0');
    const { metadata } = await shop.get<Pod>('pod', pod);
    assert.deepEqual(
      [...Object.keys(metadata.labels ?? {}), ...Object.keys(metadata.annotations ?? {})].filter((key) =>
        key.includes('mittens'),
      ),
      [],
    );
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });

  it('stays tapped with --detach, until an off from anywhere', async () => {
    const on = await mittens('on', `pod/${pod}`, '--detach', ...inShop);
    assert.equal(on.code, 0, on.stderr);
    const off = await mittens('off', '--all', ...inShop);
    assert.equal(off.code, 0, off.stderr);
    assert.match(off.stderr, new RegExp(`pod/${pod} is restored`));
  });
});

describe('one pod that is isolated', { skip }, () => {
  it('gets all of its Service’s traffic; when it is deleted the Service is restored', async () => {
    const pods = (await podNames()).sort();
    const [pod = ''] = pods;
    const flags = ['--isolate', '--detach', '--watch-detached', ...inShop];
    const on = await mittens('on', `pod/${pod}`, ...flags);
    assert.equal(on.code, 0, on.stderr);
    await until('only that pod answers', async () => (await answering(8)).join() === pod);
    assert.deepEqual(await answering(20), [pod]);
    await shop.kubectl('delete', 'pod', pod, '--wait=false');
    await until('the tap is gone', async () =>
      (await mittens('list', ...inShop)).stderr.startsWith('No taps found'),
    );
    assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    await until('both pods answer', async () => (await answering(8)).length === 2);
  });
});

describe('a workload without pods', () => {
  it('can be tapped, and shows the requests to pods that come later', async () => {
    await shop.app({ name: 'idle', replicas: 0 });
    await shop.service('idle', [{ port: 80, targetPort: 8080 }]);
    const before = await shop.snapshot('service/idle', 'deployment/idle');
    const terminal = new Terminal();
    await terminal.start(commandLine('on', ['idle', ...inShop]));
    await terminal.shows('service/idle has no running pod; waiting for one');
    await shop.kubectl('scale', 'deployment/idle', '--replicas=1');
    await terminal.shows('Flows');
    await shop.answers('idle');
    await shop.request('idle', '/first');
    await terminal.shows('/first');
    await shop.kubectl('scale', 'deployment/idle', '--replicas=0');
    process.kill(await terminal.pid(), 'SIGINT');
    await terminal.shows('service/idle is restored');
    await terminal.close();
    assert.deepEqual(await shop.snapshot('service/idle', 'deployment/idle'), before);
  });
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { Capture, flowsIn } from './capture.ts';
import { until } from './until.ts';
import { openWebShop } from './web-shop.ts';

const { shop, folder } = openWebShop({ targetPort: 8080 });
const inShop = ['-n', shop.name];
const PROXY = 'mittens-web';

async function expect(...[command, ...args]: Parameters<typeof mittens>): Promise<void> {
  const { code, stderr } = await mittens(command, ...args);
  assert.equal(code, 0, stderr);
}

interface Counts {
  child: string;
  restarts: number;
  flows: number;
  lane: string;
}

interface Pod {
  metadata: { name: string };
  spec: { containers: { name: string }[] };
}

async function namesOfPods(are: (pod: Pod) => boolean): Promise<string[]> {
  const { items } = await shop.get<{ items: Pod[] }>('pods', '-l', 'app=web');
  return items.filter(are).map(({ metadata }) => metadata.name);
}

/** Runs a line of Python in a pod's proxy. `child` is the process of mitmproxy. @returns what it printed. */
async function inProxy(pod: string, code: string): Promise<string> {
  const program = `
import json, os, signal
door = open('/tmp/mittens.pid').read().strip()
child = int((open(f'/proc/{door}/task/{door}/children').read().split() or ['0'])[0])
${code}`;
  return await shop.kubectl('exec', pod, '-c', PROXY, '--', 'python3', '-c', program);
}

async function counts(pod: string): Promise<Counts> {
  return JSON.parse(await inProxy(pod, "print(open('/tmp/mittens.counts').read())")) as Counts;
}

const KILL = 'os.kill(child, signal.SIGKILL)';

/** It is done when mitmproxy goes on. */
const STOP = `
import time
os.kill(child, signal.SIGSTOP)
time.sleep(3)
os.kill(child, signal.SIGCONT)`;

/** The kernel gives it no more memory, as at the limit that the door has set. */
const STARVE = `
import resource, time
resource.prlimit(child, resource.RLIMIT_DATA, (1, 1))
time.sleep(3)
os.kill(child, signal.SIGKILL)`;

/** Waits until a pod's mitmproxy runs and answers its door. */
async function runs(pod: string, restarts: number): Promise<void> {
  await until(`mitmproxy in ${pod} runs after ${restarts} restarts`, async () => {
    const { child, ...now } = await counts(pod);
    return child === 'running' && now.restarts >= restarts;
  });
}

describe('a tap that is watched', () => {
  let pods: string[];

  before(async () => {
    const limits = ['--proxy-cpu', '800m', '--proxy-memory', '400Mi'];
    await expect('on', 'web', '--detach', ...limits, ...inShop);
    await shop.proxied('web');
    pods = await until('all pods have a proxy, and are two', async () => {
      const names = await namesOfPods(() => true);
      const served = await namesOfPods(({ spec }) => spec.containers.some(({ name }) => name === PROXY));
      return names.length === 2 && served.length === 2 && served;
    });
  });

  it('gives the proxy the limits that were asked for', async () => {
    const { spec } = await shop.get<{
      spec: { template: { spec: { containers: { name: string; resources: object }[] } } };
    }>('deployment/web');
    assert.deepEqual(spec.template.spec.containers.find(({ name }) => name === PROXY)?.resources, {
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { cpu: '800m', memory: '400Mi' },
    });
  });

  for (const [what, code, restarts] of [
    ['is killed', KILL, 1],
    ['is stopped for three seconds', STOP, 0],
    ['has no memory left, until it is killed', STARVE, 1],
  ] as const)
    it(`loses no request when mitmproxy ${what}, and shows flows again`, async () => {
      for (const pod of pods) await runs(pod, 0);
      const before = await Promise.all(pods.map(counts));
      const load = await shop.load('web', 40);
      await Promise.all(pods.map((pod) => inProxy(pod, code)));
      for (const [index, pod] of pods.entries()) await runs(pod, (before[index]?.restarts ?? 0) + restarts);
      const seen = await Promise.all(pods.map(counts));
      await until('flows are shown again', async () => {
        const now = await Promise.all(pods.map(counts));
        return now.every(({ flows }, index) => flows !== seen[index]?.flows);
      });
      assert.deepEqual((await load.stop()).failed, []);
    });

  it('is restored by off', async () => {
    await expect('off', 'web', ...inShop);
    await shop.proxiesGone();
  });
});

describe('a sample', () => {
  it('shows a share of the connections, and all of them pass', async () => {
    const capture = new Capture(shop, join(folder, 'sample.mitm'), '--sample', '20%');
    await capture.says('is tapped');
    await shop.proxied('web');
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, number) => await shop.request('web', `/sampled?n=${number}`)),
    );
    assert.ok(answers.every(({ status }) => status === 200));
    await capture.stop();
    const seen = (await flowsIn(capture.file)).filter(({ request }) => request?.path.startsWith('/sampled'));
    // So few, or so many, of 200 are seen by chance once in millions of years.
    assert.ok(seen.length > 2 && seen.length < 120, `${seen.length}`);
  });
});

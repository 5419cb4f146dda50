import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { execute } from '../execute.ts';
import { commandLine, mittens } from '../scripts.ts';
import { hasEphemeral, isPocket } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { sleep } from './terminal.ts';

/** A try takes twice as long on a real cluster. */
const TRIES = isPocket ? 10 : 5;
const objects = ['service/web', 'deployment/web'];
const shop = new Namespace();

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', podSpec: { terminationGracePeriodSeconds: 5 } });
  await shop.service('web', [{ port: 80, targetPort: 'http' }]);
});
after(() => shop.delete());

/** Runs a command and kills it by SIGKILL after some ms; what it was doing then is anyone's guess. */
async function killed(command: 'on' | 'off' | 'capture', ms: number, ...flags: string[]): Promise<void> {
  const [node = '', ...args] = commandLine(command, ['web', '-n', shop.name, ...flags]);
  const child = spawn(node, args, { stdio: 'ignore' });
  await sleep(ms);
  child.kill('SIGKILL');
}

describe('a SIGKILL at any moment', () => {
  it(`of on, and off restores everything, in ${TRIES} of ${TRIES} tries`, async () => {
    const original = await shop.snapshot(...objects);
    for (let number = 0; number < TRIES; number++) {
      // From the start of node to after the tap is on, each try at a moment of its own.
      const ms = ((number + Math.random()) / TRIES) * 5000;
      await killed('on', ms, '--detach');
      const { code, stderr } = await mittens('off', 'web', '-n', shop.name);
      assert.equal(code, 0, `killed after ${ms} ms: ${stderr}`);
      assert.deepEqual(await shop.snapshot(...objects), original, `killed after ${ms} ms`);
    }
  });

  it('of off, and a second off restores everything', async () => {
    const original = await shop.snapshot(...objects);
    for (const ms of [400, 700, 1000, 2000]) {
      assert.equal((await mittens('on', 'web', '--detach', '-n', shop.name)).code, 0);
      await killed('off', ms);
      assert.equal((await mittens('off', 'web', '-n', shop.name)).code, 0);
      assert.deepEqual(await shop.snapshot(...objects), original, `killed after ${ms} ms`);
    }
  });
});

describe('a SIGKILL at any moment, without a restart', {
  skip: hasEphemeral ? false : 'this Kubernetes has no ephemeral containers',
}, () => {
  it('of capture, and off restores everything and leaves no running proxy and no label', async () => {
    const original = await shop.snapshot(...objects);
    for (const ms of [900, 1600, 2400, 4000]) {
      await killed('capture', ms, '--no-restart', '--output', '/dev/null');
      const { code, stderr } = await mittens('off', 'web', '-n', shop.name);
      assert.equal(code, 0, `killed after ${ms} ms: ${stderr}`);
      assert.deepEqual(await shop.snapshot(...objects), original, `killed after ${ms} ms`);
      assert.deepEqual(await traces(), [], `killed after ${ms} ms`);
    }
  });

  it('of off, and a second off restores everything', async () => {
    const original = await shop.snapshot(...objects);
    for (const ms of [500, 1500]) {
      await leftOn();
      await killed('off', ms);
      assert.equal((await mittens('off', 'web', '-n', shop.name)).code, 0);
      assert.deepEqual(await shop.snapshot(...objects), original, `killed after ${ms} ms`);
      assert.deepEqual(await traces(), [], `killed after ${ms} ms`);
    }
  });

  it('after which the record is lost, and off restores the Service from what the proxies know', async () => {
    await leftOn();
    await shop.kubectl('annotate', 'service/web', 'mittens.dev/tap-');
    assert.match((await mittens('list', '-n', shop.name)).stdout, /web .* broken: its record is gone\n$/);
    const { code, stderr } = await mittens('off', '--all', '-n', shop.name);
    assert.equal(code, 0, stderr);
    const service = await shop.get<{ spec: { selector: object; ports: object[] } }>('service/web');
    assert.deepEqual(service.spec.selector, { app: 'web' });
    assert.deepEqual(service.spec.ports, [{ port: 80, protocol: 'TCP', targetPort: 8080 }]);
    assert.deepEqual(await traces(), []);
    await shop.kubectl('delete', 'service/web');
    await shop.service('web', [{ port: 80, targetPort: 'http' }]);
  });

  /** A tap whose watcher has died. */
  async function leftOn(): Promise<void> {
    const on = await mittens('on', 'web', '--no-restart', '--detach', '--watch-detached', '-n', shop.name);
    assert.equal(on.code, 0, on.stderr);
    const [, session = ''] = /attach -t '=(.+)'/.exec(on.stderr) ?? [];
    await execute('tmux', ['-L', 'mittens', 'kill-session', '-t', `=${session}`]);
  }

  /** Proxies that run, and labels of ours, in the app's pods. */
  async function traces(): Promise<string[]> {
    const { items } = await shop.get<{ items: Pod[] }>('pods', '-l', 'app=web');
    return items.flatMap(({ metadata, status }) => [
      ...Object.keys(metadata.labels).filter((key) => key.includes('mittens')),
      ...(status.ephemeralContainerStatuses ?? [])
        .filter(({ state }) => !state.terminated)
        .map(({ name }) => name),
    ]);
  }
});

interface Pod {
  metadata: { labels: Record<string, string> };
  status: { ephemeralContainerStatuses?: { name: string; state: { terminated?: object } }[] };
}

describe('a tap whose record is gone', () => {
  it('is restored from what the proxy itself knows', async () => {
    const original = await shop.snapshot(...objects);
    assert.equal((await mittens('on', 'web', '--detach', '-n', shop.name)).code, 0);
    await shop.kubectl('annotate', 'service/web', 'mittens.dev/tap-');
    assert.equal((await mittens('off', 'web', '-n', shop.name)).code, 0);
    assert.deepEqual(await shop.containers('web'), ['app']);
    const [service, deployment] = (await shop.snapshot(...objects)) as [
      { spec: { ports: object[] } },
      object,
    ];
    // The port's name is lost with the record; its number is not.
    assert.deepEqual(service.spec.ports, [{ port: 80, protocol: 'TCP', targetPort: 8080 }]);
    assert.deepEqual(deployment, original[1]);
  });

  it('loses its proxies if the Service is gone, too', async () => {
    assert.equal((await mittens('on', 'web', '--detach', '-n', shop.name)).code, 0);
    await shop.kubectl('delete', 'service/web');
    assert.equal((await mittens('off', '--all', '-n', shop.name)).code, 0);
    assert.deepEqual(await shop.containers('web'), ['app']);
  });
});

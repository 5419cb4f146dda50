import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { isPocket, Namespace } from './namespace.ts';
import { commandLine, mittens, sleep } from './terminal.ts';

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
async function killed(command: 'on' | 'off', ms: number, ...flags: string[]): Promise<void> {
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

  it('of off, and off again restores everything', async () => {
    const original = await shop.snapshot(...objects);
    for (const ms of [400, 700, 1000, 2000]) {
      assert.equal((await mittens('on', 'web', '--detach', '-n', shop.name)).code, 0);
      await killed('off', ms);
      assert.equal((await mittens('off', 'web', '-n', shop.name)).code, 0);
      assert.deepEqual(await shop.snapshot(...objects), original, `killed after ${ms} ms`);
    }
  });
});

describe('a tap whose record is gone', () => {
  it('is given back from what the proxy itself says', async () => {
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

  it('is taken out of the workload when the Service is gone too', async () => {
    assert.equal((await mittens('on', 'web', '--detach', '-n', shop.name)).code, 0);
    await shop.kubectl('delete', 'service/web');
    assert.equal((await mittens('off', '--all', '-n', shop.name)).code, 0);
    assert.deepEqual(await shop.containers('web'), ['app']);
  });
});

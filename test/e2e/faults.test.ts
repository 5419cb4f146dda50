import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { FAULTS, isPocket, kubectl } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { sleep } from './terminal.ts';
import { until } from './until.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
let original: object[];

interface Fault {
  verb?: string;
  /** Of the namespace: services, pods …; a regular expression, like the verb. */
  resource?: string;
  delayMs?: number;
  status?: number;
  breakWatchesMs?: number;
}

/** Lets requests fail that are about the namespace of these tests, or none any more; see test/cluster/src/api/fault.ts. */
async function fail(fault?: Fault): Promise<void> {
  const { verb = '', resource = '', ...how } = fault ?? {};
  const faults = fault ? [{ match: `${verb} .*/namespaces/${shop.name}/${resource}`, ...how }] : [];
  await kubectl(['replace', '--raw', FAULTS, '-f', '-'], JSON.stringify(faults));
}

describe('if the API server fails (only on the pocket cluster: a real one cannot be told to)', {
  skip: !isPocket,
}, () => {
  before(async () => {
    await shop.create();
    await shop.app({ name: 'web' });
    await shop.service('web', [{ port: 80, targetPort: 'http' }]);
    original = await shop.snapshot(...objects);
  });
  afterEach(async () => {
    await fail();
    const { code, stderr } = await mittens('off', 'web', ...inShop);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
  after(() => shop.delete());

  it('from the start, on prints its message and changes nothing', async () => {
    await fail({ status: 503 });
    const { code, stderr } = await mittens('on', 'web', '--detach', ...inShop);
    assert.equal(code, 1);
    assert.match(stderr, /was told to refuse this/);
    await fail();
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('for some seconds while pods roll, on waits and then taps', async () => {
    const tapping = mittens('on', 'web', '--detach', ...inShop);
    await until('the pods roll', async () => (await shop.containers('web')).includes('mittens-web'));
    await fail({ verb: 'GET', resource: '(pods|deployments)', status: 503 });
    await sleep(3000);
    await fail();
    const { code, stderr } = await tapping;
    assert.equal(code, 0, stderr);
  });

  it('and breaks every watch, on and off still see that the rollout ends', async () => {
    await fail({ verb: 'GET', breakWatchesMs: 200 });
    const { code, stderr } = await mittens('on', 'web', '--detach', ...inShop);
    assert.equal(code, 0, stderr);
  });

  it('by being slow, on and off take longer and do the same', async () => {
    await fail({ delayMs: 300 });
    assert.equal((await mittens('on', 'web', '--detach', ...inShop)).code, 0);
    assert.equal((await mittens('off', 'web', ...inShop)).code, 0);
  });

  it('for one namespace, list -A shows the others and says what it could not read', async () => {
    assert.equal((await mittens('on', 'web', '--detach', ...inShop)).code, 0);
    await fail({ verb: 'GET', resource: 'deployments', status: 500 });
    const { code, stdout, stderr } = await mittens('list', '-A', '-o', 'json');
    assert.equal(code, 1);
    assert.match(stderr, /was told to refuse this/);
    const { items } = JSON.parse(stdout) as { items: { namespace: string; state: string }[] };
    const tap = items.find(({ namespace }) => namespace === shop.name);
    assert.equal(tap?.state, "unknown: its pods or workloads can't be read");
  });

  it('when on patches the workload, on gives up and restores the Service', async () => {
    await fail({ verb: 'PATCH', resource: 'deployments', status: 500 });
    const { code } = await mittens('on', 'web', '--detach', ...inShop);
    assert.equal(code, 1);
  });
});

import assert from 'node:assert/strict';
import { hostname, userInfo } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { execute } from '../execute.ts';
import { mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';

const shop = new Namespace();
const owner = `${userInfo().username}@${hostname()}`;

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', replicas: 2 });
  await shop.service('web', [{ port: 80, targetPort: 'http' }]);
  assert.equal((await mittens('on', `${shop.name}/web`, '--detach')).code, 0);
});
after(async () => {
  await mittens('off', `${shop.name}/web`);
  await shop.delete();
});

describe('list', () => {
  it("prints a table like kubectl's", async () => {
    const { stdout, stderr } = await mittens('list', '-n', shop.name);
    const [header, row, ...more] = stdout.trimEnd().split('\n');
    assert.match(header ?? '', /^SERVICE +PORTS +WORKLOAD +PODS +MODE +OWNER +AGE +STATE$/);
    assert.match(row ?? '', new RegExp(`^web +80 +deployment/web +2/2 +sidecar +${owner} +\\d+s +on$`));
    assert.deepEqual([more, stderr], [[], '']);
  });

  it('prints the namespaces with -A', async () => {
    const { stdout } = await mittens('list', '-A');
    assert.match(stdout, new RegExp(`^NAMESPACE +SERVICE +.*\\n(.*\\n)*${shop.name} +web +80 `));
  });

  it('prints more columns with -o wide', async () => {
    const { stdout } = await mittens('list', '-o', 'wide', '-n', shop.name);
    assert.match(stdout, /STATE +PROGRAM +ID +TARGETS\nweb .* on +mitmproxy +[0-9a-f]{8} +http<-7777\n$/);
  });

  it('prints JSON for programs', async () => {
    const { stdout } = await mittens('list', '--output', 'json', '--namespace', shop.name);
    const { kind, items } = JSON.parse(stdout);
    const { id, started, ...item } = items[0];
    assert.equal(kind, 'TapList');
    assert.match(`${id} ${started}`, /^[0-9a-f]{8} \d{4}-/);
    assert.deepEqual(item, {
      namespace: shop.name,
      service: 'web',
      ports: [{ port: 80, targetPort: 'http', protocol: 'auto', listenPort: 7777 }],
      workloads: ['deployment/web'],
      pods: { ready: 2, wanted: 2 },
      mode: 'sidecar',
      program: 'mitmproxy',
      owner,
      state: 'on',
    });
  });

  it('prints names that kubectl accepts with -o name', async () => {
    const { stdout } = await mittens('list', '-o', 'name', '-n', shop.name);
    assert.equal(stdout, 'service/web\n');
    assert.equal((await execute('kubectl', ['get', '-n', shop.name, stdout.trim()])).code, 0);
  });

  it("uses --context and --kubeconfig, and prints kubectl's errors", async () => {
    for (const flag of ['--context', '--kubeconfig']) {
      const own = await mittens('list', flag, '/nowhere', '-n', shop.name);
      const theirs = await execute('kubectl', ['get', 'services', flag, '/nowhere', '-n', shop.name]);
      assert.deepEqual([own.code, own.stdout], [1, '']);
      assert.equal(own.stderr, theirs.stderr);
    }
  });
});

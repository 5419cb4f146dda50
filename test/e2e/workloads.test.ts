import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { execute } from '../execute.ts';
import { mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';
import { look } from './terminal.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];

before(() => shop.create());
after(() => shop.delete());

async function tapOn(service: string, ...flags: string[]): Promise<void> {
  const { code, stderr } = await mittens('on', service, '--detach', ...inShop, ...flags);
  assert.equal(code, 0, stderr);
}

async function tapOff(...services: string[]): Promise<void> {
  const { code, stderr } = await mittens('off', ...services, ...inShop);
  assert.equal(code, 0, stderr);
}

/** Sends a request until the TUI shows it, and returns the screen. */
async function seen(service: string, path: string, port = 80): Promise<string> {
  return await look(service, shop.name, `shop.example ${path} `, () => shop.request(service, path, { port }));
}

describe('several Services in front of one workload', () => {
  const objects = ['service/front', 'service/back', 'deployment/both'];
  let original: object[];

  before(async () => {
    await shop.app({ name: 'both' });
    await shop.service('front', [{ port: 80, targetPort: 'http' }], { selector: { app: 'both' } });
    await shop.service('back', [{ port: 80, targetPort: 8080 }], { selector: { app: 'both' } });
    original = await shop.snapshot(...objects);
  });

  it('get one proxy each', async () => {
    await tapOn('front');
    await tapOn('back');
    assert.deepEqual(await shop.containers('both'), ['app', 'mittens-front', 'mittens-back']);
    await seen('back', '/to-back');
    assert.doesNotMatch(await seen('front', '/to-front'), /\/to-back/);
  });

  it('are restored one by one', async () => {
    await tapOff('front');
    assert.deepEqual(await shop.containers('both'), ['app', 'mittens-back']);
    await shop.answers('front');
    await seen('back', '/still-seen');
    await tapOff('back');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('are restored together by off --all, which can be repeated', async () => {
    await tapOn('front');
    await tapOn('back');
    assert.equal((await mittens('off', '--all', ...inShop)).code, 0);
    assert.deepEqual(await shop.snapshot(...objects), original);
    const again = await mittens('off', '--all', ...inShop);
    assert.deepEqual(
      { code: again.code, stderr: again.stderr },
      { code: 0, stderr: 'no Service is tapped\n' },
    );
    const third = await mittens('off', 'front', ...inShop);
    assert.deepEqual(
      { code: third.code, stderr: third.stderr },
      { code: 0, stderr: 'service/front is not tapped\n' },
    );
  });
});

describe('several ports of one Service', () => {
  const objects = ['service/ports', 'deployment/ports'];
  let original: object[];

  before(async () => {
    await shop.app({ name: 'ports', ports: [8080, 7777] });
    await shop.service('ports', [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'admin', port: 81, targetPort: 7777 },
    ]);
    original = await shop.snapshot(...objects);
  });
  afterEach(async () => {
    await tapOff('ports');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  async function bothAreSeen(): Promise<void> {
    await seen('ports', '/one');
    assert.match(await seen('ports', '/two', 81), /\/one .*\n(.*\n)*.*\/two /);
    for (const [port, appPort] of [
      [80, 8080],
      [81, 7777],
    ] as const) {
      const { body } = await shop.request('ports', '/', { port });
      assert.deepEqual([JSON.parse(body).port, JSON.parse(body).host], [appPort, 'shop.example']);
    }
  }

  it('can be tapped together, and the proxy listens on ports that the app does not use', async () => {
    await tapOn('ports', '-p', 'http', '--port', '81');
    await bothAreSeen();
  });

  it('can be tapped one after the other', async () => {
    await tapOn('ports', '-p', '80');
    await tapOn('ports', '-p', 'admin');
    await bothAreSeen();
  });

  it('can be tapped with --listen-port', async () => {
    await tapOn('ports', '-p', '80', '--listen-port', '9999');
    const { stdout } = await mittens('list', '-o', 'json', ...inShop);
    assert.equal(JSON.parse(stdout).items[0].ports[0].listenPort, 9999);
    await shop.answers('ports');
  });
});

describe('an app that speaks TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
  after(() => rmSync(folder, { recursive: true }));

  it('can be tapped with --protocol https, and still gets TLS', async () => {
    const files = { key: join(folder, 'tls.key'), crt: join(folder, 'tls.crt') };
    const openssl = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=app',
      '-keyout',
      files.key,
    ];
    assert.equal((await execute('openssl', [...openssl, '-out', files.crt])).code, 0);
    const patch = {
      data: { 'tls.key': readFileSync(files.key, 'utf8'), 'tls.crt': readFileSync(files.crt, 'utf8') },
    };
    await shop.kubectl('patch', 'configmap/code', '--patch', JSON.stringify(patch));
    await shop.app({ name: 'tls', env: { TLS_PORT: '8443' } });
    await shop.service('tls', [{ port: 443, targetPort: 8443 }]);
    await tapOn('tls', '--protocol', 'https');
    assert.match(await seen('tls', '/secret', 443), /HTTPS +GET +shop\.example \/secret/);
    const { body } = await shop.request('tls', '/secret', { port: 443 });
    assert.equal(JSON.parse(body).port, 8443);
    await tapOff('tls');
  });
});

describe("a user's own mitmproxy arguments", () => {
  it('reach mitmproxy unchanged', async () => {
    await shop.app({ name: 'args' });
    await shop.service('args', [{ port: 80, targetPort: 8080 }]);
    const modify = ['--', '--modify-body', '@~s@method@$(HOME) $$ "quoted"@'];
    await tapOn('args', ...modify);
    await seen('args', '/');
    assert.match((await shop.request('args', '/')).body, /\$\(HOME\) \$\$ "quoted"/);
    await tapOff('args');
  });
});

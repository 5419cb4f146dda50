import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { commandLine, mittens } from '../scripts.ts';
import type { Answer } from './client.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', replicas: 2, ports: [8080, 8081], env: { DRAIN_MS: '8000' } });
  await shop.service('web', [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'admin', port: 81, targetPort: 8081 },
  ]);
});
after(() => shop.delete());

describe('a tap from on to q', () => {
  const terminal = new Terminal();
  let original: object[];
  let load: Awaited<ReturnType<Namespace['load']>>;

  before(async () => {
    original = await shop.snapshot('service/web', 'deployment/web');
    load = await shop.load('web');
  });
  after(() => terminal.close());

  it('asks which of several ports is meant, and shows mitmproxy', async () => {
    await terminal.start(commandLine('on', ['web', ...inShop]));
    await terminal.shows('Which one? [80]');
    await terminal.type('Enter');
    await terminal.shows('[*:7777]');
  });

  it('shows a request', async () => {
    await terminal.type('f', '~u /seen/', 'Enter');
    // Two replicas, two windows: only every other request is in the one that is shown.
    for (let sent = 0; sent < 10; sent++) await shop.request('web', `/seen/cart/${sent}?status=418`);
    await terminal.shows(/GET +shop\.example +\/seen\/cart\/\d\?status=418 .* 418/);
  });

  it('has one window per pod', async () => {
    const screen = await terminal.screen();
    assert.match(
      screen,
      new RegExp(`${shop.name}/web, sidecar, \\d+s +0:web-\\w+-\\w+\\*.* 1:web-\\w+-\\w+`),
    );
  });

  it('sends the client the response that its user edited in the TUI', async () => {
    await terminal.type('i', '~s & ~u /seen/edit', 'Enter');
    let answer: Answer = { status: 0, headers: {}, body: '' };
    // Only every other request is in the window that intercepts.
    for (let sent = 0; sent < 20 && answer.status !== 503; sent++) {
      const pending = shop.request('web', `/seen/edit/${sent}`);
      await Promise.race([pending, terminal.shows(`/seen/edit/${sent} `)]);
      await terminal.type(':', 'flow.set @shown status_code 503', 'Enter', 'A');
      answer = await pending;
    }
    assert.equal(answer.status, 503);
  });

  it('restores the Service at q, and says so', async () => {
    await terminal.type('q');
    await terminal.shows('Quit');
    await terminal.type('y');
    await terminal.shows('service/web is restored');
    await terminal.shows('exit code 0');
  });

  it('has left no trace in the Service and the workload', async () => {
    assert.deepEqual(await shop.snapshot('service/web', 'deployment/web'), original);
    assert.deepEqual(await shop.containers('web'), ['app']);
    const { stdout, stderr, code } = await mittens('list', ...inShop);
    assert.deepEqual(
      { stdout, stderr, code },
      { stdout: '', stderr: `No taps found in ${shop.name} namespace.\n`, code: 0 },
    );
  });

  it('has lost no request', async () => {
    await shop.proxiesGone();
    const { sent, failed } = await load.stop();
    assert.deepEqual(failed, []);
    assert.ok(sent > 500, `only ${sent} requests were sent`);
  });
});

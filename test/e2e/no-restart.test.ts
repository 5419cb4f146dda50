import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { execute } from '../execute.ts';
import { commandLine, mittens } from '../scripts.ts';
import { hasEphemeral } from './cluster.ts';
import { look, Terminal } from './terminal.ts';
import { until } from './until.ts';
import { listWebPods, openWebShop, WEB_OBJECTS } from './web-shop.ts';

const { shop } = openWebShop({ name: 'http', targetPort: 'http' });
const inShop = ['-n', shop.name];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';

describe('a session without a restart', { skip }, () => {
  const terminal = new Terminal();
  let original: object[];

  before(async () => {
    original = await shop.snapshot(...WEB_OBJECTS);
    await terminal.start(commandLine('on', ['web', '--no-restart', ...inShop]));
  });
  after(() => terminal.close());

  it('shows mitmproxy in one window per pod', async () => {
    await terminal.shows('Flows');
    await terminal.shows(
      new RegExp(`${shop.name}/web, no restart, \\d+s +0:web-\\w+-\\w+\\*.* 1:web-\\w+-\\w+`),
    );
  });

  it('keeps watching its pods when it is detached, and can be attached again', async () => {
    await terminal.type('C-b', 'd');
    await terminal.shows('still watching its pods; Ctrl-C restores it');
    await look('web', shop.name, '/left', () => shop.request('web', '/left'));
  });

  it('restores the Service at SIGINT', async () => {
    process.kill(await terminal.pid(), 'SIGINT');
    await terminal.shows('service/web is restored');
    await terminal.shows('exit code 130');
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });
});

describe('a tap without a restart and without a session', { skip }, () => {
  it('is refused without a watcher, and changes nothing', async () => {
    const original = await shop.snapshot(...WEB_OBJECTS);
    const { code, stderr } = await mittens('on', 'web', '--no-restart', '--detach', ...inShop);
    assert.equal(code, 1);
    assert.match(stderr, /only while a watcher runs\nhint: add --watch-detached/);
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  it('has a watcher in tmux, which adds the proxy to new pods and ends with the tap', async () => {
    const original = await shop.snapshot(...WEB_OBJECTS);
    const on = await mittens('on', 'web', '--no-restart', '--detach', '--watch-detached', ...inShop);
    assert.equal(on.code, 0, on.stderr);
    const [, session = ''] = /attach -t '=(.+)'/.exec(on.stderr) ?? [];
    await shop.kubectl('delete', 'pod', (await listWebPods(shop))[0]?.metadata.name ?? '', '--wait=false');
    await served(2);
    assert.match(await panes(session), /watching the pods of service\/web/);
    const off = await mittens('off', 'web', ...inShop);
    assert.equal(off.code, 0, off.stderr);
    assert.equal(await panes(session), '');
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  async function panes(session: string): Promise<string> {
    const tmux = ['-L', 'mittens', 'capture-pane', '-p', '-t', `=${session}:`];
    return (await execute('tmux', tmux)).stdout;
  }

  async function served(count: number): Promise<void> {
    await until(`${count} pods have a proxy`, async () => {
      const { items } = await shop.get<{ items: object[] }>('pods', '-l', 'app=web,tap.mittens.dev/web');
      return items.length === count && (await listWebPods(shop)).length === count;
    });
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { load } from 'js-yaml';
import { commandLine, mittens } from '../scripts.ts';
import { Capture, flowsIn, pathsIn } from './capture.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';
import { until } from './until.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
const folder = mkdtempSync(join(tmpdir(), 'mittens-capture-'));
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', env: { DRAIN_MS: '1000' } });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  original = await shop.snapshot(...objects);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await shop.delete();
});

describe('a capture ends', () => {
  it('after --count flows, and writes nothing but flows to stdout', async () => {
    const file = join(folder, 'count.mitm');
    const [node = '', ...line] = commandLine('capture', ['web', ...inShop, '-o', '-', '--count', '5']);
    const child = spawn('sh', ['-c', 'out=$1; shift; exec "$@" >"$out"', 'sh', file, node, ...line], {
      stdio: 'ignore',
    });
    let over = false;
    child.once('exit', () => {
      over = true;
    });
    await until('five requests are recorded', async () => {
      await shop.request('web', '/counted');
      return over;
    });
    assert.equal(child.exitCode, 0);
    assert.equal((await flowsIn(file)).length, 5);
  });

  it('at --max-size, with whole flows and no more bytes than that', async () => {
    const capture = new Capture(shop, join(folder, 'size.mitm'), '--max-size', '30k');
    await capture.records('/first');
    for (let sent = 0; sent < 20; sent++) await shop.request('web', '/big', { body: 'x'.repeat(5000) });
    const { code, stderr } = await capture.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /--max-size is reached/);
    const { size } = statSync(capture.file);
    assert.ok(size > 15_000 && size <= 30 * 1024, `${size} bytes`);
    assert.ok((await pathsIn(capture.file)).includes('/big'));
  });

  it('after --for', async () => {
    const { code, stderr } = await new Capture(shop, join(folder, 'for.mitm'), '--for', '2s').ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /2 s are over/);
    assert.match(stderr, /0 flows from 1 pod in /);
  });

  it('with its command: it has all of its requests, and its exit code', async () => {
    const script = join(folder, 'command.sh');
    const exec = `kubectl -n ${shop.name} exec client -- node /code/ask.mjs`;
    const url = await shop.url('web');
    // kube-proxy takes a moment to follow the Service.
    const wait = `until ${exec} ${url}/warm | grep -q 'proxied[^a-z]*true'; do sleep 0.2; done`;
    writeFileSync(script, `${wait}\nfor n in 1 2 3; do ${exec} ${url}/of-command/$n; done\nexit 42\n`);
    const file = join(folder, 'command.mitm');
    const { code, stdout, stderr } = await mittens(
      'capture',
      'web',
      ...inShop,
      '-o',
      file,
      '--',
      'sh',
      script,
    );
    assert.equal(code, 42, stderr);
    assert.equal(stdout.trim().split('\n').length, 3);
    const paths = await pathsIn(file);
    assert.deepEqual(
      paths.filter((path) => path.startsWith('/of-command/')),
      ['/of-command/1', '/of-command/2', '/of-command/3'],
    );
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('a capture with a filter', () => {
  it('records only flows that match, with bodies cut at --body-limit', async () => {
    const capture = new Capture(
      shop,
      join(folder, 'filter.mitm'),
      '--filter',
      '(~u /wanted | ~u /first) & ~c 2..',
      '--body-limit',
      '100',
    );
    await capture.records('/first');
    await shop.request('web', '/other', { body: 'x' });
    const { body } = await shop.request('web', '/wanted', { body: 'y'.repeat(5000) });
    await capture.stop();
    assert.ok(body.includes('y'.repeat(5000)), 'the traffic itself is not cut');
    const flows = await flowsIn(capture.file);
    assert.ok(flows.every(({ request }) => request?.path !== '/other'));
    const wanted = flows.filter(({ request }) => request?.path === '/wanted');
    assert.equal(wanted.length, 1);
    assert.equal(wanted[0]?.request?.content?.toString(), 'y'.repeat(100));
    assert.match(wanted[0]?.comment ?? '', /cut to 100 bytes/);
  });

  for (const [what, flags, says] of [
    ['a filter that is none', ['--filter', '~nope'], /~nope/],
    ['a folder to write to', ['-o', folder], /is a folder/],
    ['a folder that is not there', ['-o', join(folder, 'no', 'x.mitm')], /can't be written/],
    ['no duration', ['--for', 'ever'], /"ever" is not a duration/],
    ['no number', ['--count', '-1'], /count/],
    ['no size', ['--max-size', '1x'], /"1x" is not a size/],
  ] as const) {
    it(`is refused before anything is changed: ${what}`, async () => {
      const { code, stderr } = await mittens('capture', 'web', ...inShop, ...flags);
      assert.ok(code > 0);
      assert.match(stderr, says);
      assert.deepEqual(await shop.snapshot(...objects), original);
    });
  }
});

describe('a session', () => {
  const state = join(process.env.XDG_STATE_HOME ?? folder, 'mittens');
  const kept = () =>
    readdirSync(state)
      .filter((name) => name.startsWith(`${shop.name}-web-`))
      .sort();

  it('keeps its flows when its user quits it, and says where', async () => {
    const terminal = new Terminal();
    try {
      await terminal.start(commandLine('on', ['web', ...inShop]));
      await terminal.shows('Flows');
      await until('the request is shown', async () => {
        await shop.request('web', '/quit');
        return (await terminal.screen()).includes('/quit');
      });
      await terminal.type('Q');
      await terminal.shows(/\d+ flows are saved in /);
      await terminal.shows('exit code 0');
    } finally {
      await terminal.close();
    }
    assert.ok((await pathsIn(join(state, kept().at(-1) ?? ''))).includes('/quit'));
  });

  it('keeps its flows when off ends it, and off says where', async () => {
    await mittens('on', 'web', ...inShop, '--detach');
    const paths = Array.from({ length: 10 }, (_, n) => `/off/${n}`);
    await shop.proxied('web');
    for (const path of paths) await shop.request('web', path);
    const { stderr } = await mittens('off', 'web', ...inShop);
    const [, file = ''] = /\d+ flows are saved in (\S+)/.exec(stderr) ?? [];
    assert.deepEqual((await pathsIn(file)).filter((path) => path.startsWith('/off/')).sort(), paths);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('a user who may tap, but not exec into pods', () => {
  const user = ['--as', `system:serviceaccount:${shop.name}:tapper`, ...inShop];
  before(async () => {
    const role = load(readFileSync(new URL('../../docs/rbac.yaml', import.meta.url), 'utf8')) as Role;
    const rules = role.rules.filter(({ resources }) => !resources.includes('pods/exec'));
    const apiGroup = 'rbac.authorization.k8s.io';
    await shop.apply(
      { ...role, rules },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'tapper' } },
      {
        apiVersion: `${apiGroup}/v1`,
        kind: 'RoleBinding',
        metadata: { name: 'tapper' },
        roleRef: { apiGroup, kind: 'Role', name: 'mittens' },
        subjects: [{ kind: 'ServiceAccount', name: 'tapper', namespace: shop.name }],
      },
    );
  });

  it('cannot start a capture, and changes nothing', async () => {
    const { code, stderr } = await mittens('capture', 'web', ...user, '-o', join(folder, 'no.mitm'));
    assert.equal(code, 1);
    assert.match(stderr, /may not create pods\/exec here\nhint: .*: kubectl apply -f docs\/rbac\.yaml -n /);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('can restore a Service, and is told in one line that its flows are lost', async () => {
    await mittens('on', 'web', '--detach', ...user);
    const { code, stderr } = await mittens('off', 'web', ...user);
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/warning/g)?.length, 1, stderr);
    assert.match(stderr, /warning: the flows are lost: .*forbidden/);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

interface Role {
  rules: { resources: string[]; verbs: string[] }[];
}

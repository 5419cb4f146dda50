import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { load } from 'js-yaml';
import type { Flow } from '../../scripts/lib/flow.ts';
import { readFlows } from '../../scripts/lib/flow-file.ts';
import { Namespace, type Result } from './namespace.ts';
import { commandLine, mittens, sleep, Terminal } from './terminal.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
const folder = mkdtempSync(join(tmpdir(), 'mittens-capture-'));
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web', replicas: 2, env: { DRAIN_MS: '2000' } });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  original = await shop.snapshot(...objects);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await shop.delete();
});

/** A capture that runs beside the test. */
class Capture {
  readonly file: string;
  readonly #child: ChildProcess;
  stderr = '';

  constructor(name: string, ...args: string[]) {
    this.file = join(folder, name);
    const [node = '', ...line] = commandLine('capture', ['web', ...inShop, '-o', this.file, ...args]);
    this.#child = spawn(node, line, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (data) => {
      this.stderr += data;
    });
  }

  /** Waits until it says something, or has ended. */
  async says(what: string): Promise<void> {
    while (!this.stderr.includes(what)) {
      assert.equal(this.#child.exitCode, null, this.stderr);
      await sleep(100);
    }
  }

  /** Sends requests until one is in the file: kube-proxy takes a moment to follow a Service. */
  async records(path: string): Promise<void> {
    await this.says('is tapped');
    while ((await pathsIn(this.file)).every((found) => found !== path)) await shop.request('web', path);
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<Result> {
    this.#child.kill('SIGINT');
    return await this.ended();
  }

  async ended(): Promise<Result> {
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    return { code: this.#child.exitCode ?? 1, stdout: '', stderr: this.stderr };
  }
}

async function flowsIn(file: string, whole = true): Promise<Flow[]> {
  const flows: Flow[] = [];
  for await (const { flow } of readFlows(file, () => assert.ok(!whole, 'the last flow is cut')))
    flows.push(flow);
  return flows;
}

/** The paths of the requests in a file, which may still grow. */
async function pathsIn(file: string): Promise<string[]> {
  return (await flowsIn(file, false)).map(({ request }) => request?.path ?? '');
}

/** The numbers of the load's requests that are in a file. */
async function loadIn(file: string): Promise<number[]> {
  const paths = (await flowsIn(file)).map(({ request }) => request?.path ?? '');
  return paths
    .flatMap((path) => (path.startsWith('/load?n=') ? [Number(path.slice(8))] : []))
    .sort((a, b) => a - b);
}

function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe('a capture', () => {
  it('has every request of a steady load once, each as soon as it is answered, and gives the Service back', async () => {
    const capture = new Capture('load.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    await sleep(5000);
    const { sent, failed } = await load.stop();
    const { code, stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.equal(code, 130, stderr);
    assert.match(stderr, /\d+ flows from 2 pods in .*load\.mitm\n$/);
    assert.doesNotMatch(stderr, /warning/);
    assert.equal(statSync(capture.file).mode & 0o777, 0o600);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('misses none while pods come and go', async () => {
    const capture = new Capture('rollout.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    // It leaves its time in the pod template.
    await shop.kubectl('rollout', 'restart', 'deployment/web');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.kubectl('scale', 'deployment/web', '--replicas=3');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.kubectl('scale', 'deployment/web', '--replicas=2');
    await sleep(3000);
    const { sent, failed } = await load.stop();
    const { stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.match(stderr, /\d+ flows from 5 pods in /);
    assert.doesNotMatch(stderr, /warning/);
    original = await shop.snapshot(...objects);
  });

  it('keeps what a killed pod had answered, and says what may be missing', async () => {
    const capture = new Capture('killed.mitm');
    await capture.records('/first');
    const pods: string[] = [];
    for (let sent = 0; sent < 20; sent++)
      pods.push(JSON.parse((await shop.request('web', `/kept/${sent}`)).body).pod);
    while ((await pathsIn(capture.file)).filter((path) => path.startsWith('/kept/')).length < 20)
      await sleep(100);
    await shop.kubectl('delete', `pod/${pods[0]}`, '--force', '--grace-period=0');
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.answers('web');
    const { stderr } = await capture.stop();
    const kept = (await pathsIn(capture.file)).filter((path) => path.startsWith('/kept/'));
    assert.equal(new Set(kept).size, 20);
    assert.equal(kept.length, 20);
    assert.match(
      stderr,
      new RegExp(`warning: pod ${pods[0]} was killed: requests that it answered .* may be missing`),
    );
  });

  it('shows on a terminal how it goes, and ends by Ctrl-C', async () => {
    const terminal = new Terminal();
    try {
      const file = join(folder, 'terminal.mitm');
      // As in a shell, which outlives the Ctrl-C that its command gets.
      const shell = 'trap : INT; "$@"; echo "ended with $?"; sleep 600';
      const line = commandLine('capture', ['web', ...inShop, '-o', file]);
      await terminal.start(['sh', '-c', shell, 'sh', ...line]);
      await terminal.shows('is tapped');
      for (let sent = 0; sent < 5; sent++) await shop.request('web', '/live');
      await terminal.shows(/[1-9]\d* flows? from 2 pods, .*B, .* a second/);
      await terminal.type('C-c');
      await terminal.shows('ended with 130');
      assert.match(await terminal.screen(), /flows? from 2 pods in .*terminal\.mitm/);
      assert.ok((await pathsIn(file)).includes('/live'));
    } finally {
      await terminal.close();
    }
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('is shown by list, and refuses a second tap and a session', async () => {
    const capture = new Capture('owned.mitm');
    await capture.says('is tapped');
    for (const result of [
      await mittens('capture', 'web', ...inShop, '-o', join(folder, 'second.mitm')),
      await mittens('on', 'web', ...inShop, '--detach'),
    ]) {
      assert.equal(result.code, 1);
      assert.match(result.stderr, /service\/web is being captured, by .*@.* since .*\nhint: .* off web/);
    }
    assert.ok(!existsSync(join(folder, 'second.mitm')));
    assert.match((await mittens('list', ...inShop, '-o', 'wide')).stdout, /^web .* mitmdump /m);
    await capture.stop();
  });

  it('ends when someone else gives the Service back', async () => {
    const capture = new Capture('taken.mitm');
    await capture.records('/first');
    await mittens('off', 'web', ...inShop);
    const { code, stderr } = await capture.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /given back by someone else/);
    assert.ok((await pathsIn(capture.file)).includes('/first'));
  });
});

describe('a capture ends', () => {
  async function sendUntil(ended: Promise<Result>, path: string): Promise<Result> {
    let result: Result | undefined;
    const done = ended.then((is) => {
      result = is;
    });
    while (!result) await shop.request('web', path);
    await done;
    return result;
  }

  it('with --count, having so many', async () => {
    const capture = new Capture('count.mitm', '--count', '5');
    const { code } = await sendUntil(capture.ended(), '/counted');
    assert.equal(code, 0);
    assert.equal((await flowsIn(capture.file)).length, 5);
  });

  it('with --max-size, being no longer', async () => {
    const capture = new Capture('size.mitm', '--max-size', '10k');
    const { stderr } = await sendUntil(capture.ended(), '/sized');
    assert.match(stderr, /--max-size is reached/);
    const { size } = statSync(capture.file);
    assert.ok(size > 5000 && size <= 10_240, String(size));
    await flowsIn(capture.file);
  });

  it('with --for', async () => {
    const { code, stderr } = await new Capture('for.mitm', '--for', '2s').ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /2 s are over/);
    assert.match(stderr, /0 flows from 2 pods in /);
  });

  it('with its command, whose exit code it has, and of whose requests it has all', async () => {
    const script = join(folder, 'command.sh');
    const exec = `kubectl -n ${shop.name} exec client -- node /code/ask.mjs`;
    const url = await shop.url('web');
    writeFileSync(script, `sleep 3\nfor n in 1 2 3; do ${exec} GET ${url}/of-command/$n h; done\nexit 42\n`);
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

  it('at once when the command is not there', async () => {
    const { code, stderr } = await mittens(
      'capture',
      'web',
      ...inShop,
      '-o',
      join(folder, 'x.mitm'),
      '--',
      './nope',
    );
    assert.equal(code, 127);
    assert.match(stderr, /\.\/nope could not be started/);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('what is captured', () => {
  it('is what the filter says, with bodies no longer than the limit', async () => {
    const capture = new Capture(
      'filter.mitm',
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

  it('goes to stdout, and nothing else does', async () => {
    const file = join(folder, 'stdout.mitm');
    const [node = '', ...line] = commandLine('capture', ['web', ...inShop, '-o', '-', '--for', '4s']);
    const child = spawn('sh', ['-c', 'out=$1; shift; exec "$@" >"$out"', 'sh', file, node, ...line], {
      stdio: 'ignore',
    });
    let over = false;
    child.once('exit', () => {
      over = true;
    });
    while (!over) await shop.request('web', '/to-stdout');
    assert.equal(child.exitCode, 0);
    assert.ok((await flowsIn(file)).length > 0);
  });
});

describe('a session', () => {
  const state = join(process.env.XDG_STATE_HOME ?? folder, 'mittens');
  const kept = () =>
    readdirSync(state)
      .filter((name) => name.startsWith(`${shop.name}-web-`))
      .sort();

  it('keeps its flows when it is quit, and says where', async () => {
    const terminal = new Terminal();
    try {
      await terminal.start(commandLine('on', ['web', ...inShop]));
      await terminal.shows('Flows');
      for (let sent = 0; sent < 20 && !(await terminal.screen()).includes('/quit'); sent++)
        await shop.request('web', '/quit');
      await terminal.type('Q');
      await terminal.shows(/\d+ flows are kept in /);
      await terminal.shows('exit code 0');
    } finally {
      await terminal.close();
    }
    assert.ok((await pathsIn(join(state, kept().at(-1) ?? ''))).includes('/quit'));
  });

  it('keeps its flows when it is given back by off, which says where', async () => {
    await mittens('on', 'web', ...inShop, '--detach');
    const paths = Array.from({ length: 10 }, (_, n) => `/off/${n}`);
    await sleep(2000);
    for (const path of paths) await shop.request('web', path);
    const { stderr } = await mittens('off', 'web', ...inShop);
    const [, file = ''] = /(\d+) flows are kept in/.test(stderr) ? (/kept in (\S+)/.exec(stderr) ?? []) : [];
    assert.deepEqual((await pathsIn(file)).sort(), paths);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('someone who may tap, but not exec into pods', () => {
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

  it('is refused a capture before anything is changed', async () => {
    const { code, stderr } = await mittens('capture', 'web', ...user, '-o', join(folder, 'no.mitm'));
    assert.equal(code, 1);
    assert.match(stderr, /may not create pods\/exec here\nhint: docs\/rbac\.yaml/);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('gives a Service back all the same, and is told in one line that the flows are lost', async () => {
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

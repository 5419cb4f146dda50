import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commandLine, mittens } from '../scripts.ts';
import { Capture, flowsIn } from './capture.ts';
import type { Answer } from './client.ts';
import { hasEphemeral } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';
import { until } from './until.ts';

// What a tap can do to the traffic, besides showing it. The Service web is in front of an app that listens on two ports
// of all addresses; the Service bound, of one that listens on its pod's address only.

const shop = new Namespace();
const inShop = ['-n', shop.name];
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
const OBJECTS = ['service/web', 'deployment/web', 'service/bound', 'deployment/bound'];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';
const MODES = [
  { mode: 'with a sidecar', flags: [], skip: false as const },
  { mode: 'without a restart', flags: ['--no-restart'], skip },
];

/** What app.mjs says of a request. */
interface Echo {
  pod: string;
  port: number;
  from: string;
  path: string;
  host: string;
  headers: Record<string, string>;
  body: string;
}

let original: object[];
/** Where the app sees its client, when nothing is between them. */
let clientAddress: string;

before(async () => {
  await shop.create();
  const podIP = { fieldRef: { fieldPath: 'status.podIP' } };
  await Promise.all([
    shop.app({ name: 'web', ports: [8080, 8081] }),
    shop.app({ name: 'bound', env: { HOST: podIP } }),
  ]);
  for (const name of ['web', 'bound'])
    await shop.service(name, [{ name: 'http', port: 80, targetPort: 'http' }]);
  await shop.answers('web');
  await shop.answers('bound');
  original = await shop.snapshot(...OBJECTS);
  clientAddress = (await ask('web', '/')).from.replace(/^::ffff:/, '');
});
after(async () => {
  await shop.delete();
  rmSync(folder, { recursive: true });
});

function parseEcho({ body }: Answer): Echo {
  return JSON.parse(body) as Echo;
}

async function ask(service: string, path: string, body?: string): Promise<Echo> {
  return parseEcho(await shop.request(service, path, body === undefined ? {} : { body }));
}

function write(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('a tap without flags that change traffic', () => {
  const file = join(folder, 'plain.mitm');

  it('adds no header to requests and responses', async () => {
    const direct = await shop.request('web', '/price');
    const capture = new Capture(shop, file);
    await capture.records('/price');
    const tapped = await shop.request('web', '/price');
    const stopped = await capture.stop();
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.deepEqual(parseEcho(tapped).headers, parseEcho(direct).headers);
    assert.deepEqual(Object.keys(tapped.headers), Object.keys(direct.headers));
    assert.deepEqual(await shop.snapshot(...OBJECTS), original);
  });

  for (const { mode, flags, skip } of MODES) {
    describe(`before one with every flag that changes traffic, ${mode}:`, { skip }, () => {
      let capture: Capture;
      const addFirst = 'def response(flow):\n    flow.response.headers["x-first"] = flow.request.path\n';
      const addSecond =
        'class Second:\n    def response(self, flow):\n        flow.response.headers["x-second"] = "yes"\n\naddons = [Second()]\n';

      before(async () => {
        const changes = [
          ...['--modify-headers', '|~q & ~u /greeted|X-Greeting|hello'],
          ...['--modify-headers', '|~s & ~u /greeted|X-Seen-By|mittens'],
          ...['--modify-body', '|~s & ~u /worded|"method"|"verb"'],
          ...['--modify-body', '|~q & ~u /worded|red|green'],
          ...['--map-remote', '|http://[^/]+/moved|http://localhost:8081/arrived'],
          ...['--script', write('first.py', addFirst), '--script', write('second.py', addSecond)],
          ...['--replay', file, '--forwarded'],
        ];
        capture = new Capture(shop, join(folder, `changed${flags.length}.mitm`), ...changes, ...flags);
        await capture.records('/begin');
      });

      it('--modify-headers changes what the app sees and what the client sees', async () => {
        const answer = await shop.request('web', '/greeted');
        assert.equal(parseEcho(answer).headers['x-greeting'], 'hello');
        assert.equal(answer.headers['x-seen-by'], 'mittens');
        assert.equal((await ask('web', '/other')).headers['x-greeting'], undefined);
      });

      it('--modify-body changes what the app sees and what the client sees', async () => {
        const answer = await shop.request('web', '/worded', { body: 'a red dress' });
        assert.equal(parseEcho(answer).body, 'a green dress');
        assert.match(answer.body, /"verb":"POST"/);
        assert.equal((await ask('web', '/other', 'a red dress')).body, 'a red dress');
      });

      it('--map-remote sends a request to another port of the app', async () => {
        const { port, path } = await ask('web', '/moved/far?a=b');
        assert.deepEqual([port, path], [8081, '/arrived/far']);
        assert.equal((await ask('web', '/stayed')).port, 8080);
      });

      it('two --script files both change the response', async () => {
        const { headers } = await shop.request('web', '/scripted?n=1');
        assert.deepEqual([headers['x-first'], headers['x-second']], ['/scripted?n=1', 'yes']);
      });

      it('--replay answers recorded requests any number of times, and the app answers the others', async () => {
        const recorded = (await flowsIn(file)).find(({ request }) => request?.path === '/price');
        for (let time = 1; time <= 3; time++)
          assert.equal((await shop.request('web', '/price')).body, recorded?.response?.content?.toString());
        assert.equal((await ask('web', '/price?of=another')).path, '/price');
        const { items } = await shop.get<{ items: { metadata: { name: string } }[] }>(
          ...['pods', '-l', 'app=web'],
        );
        const { pod } = await ask('web', '/cost');
        assert.ok(
          items.some(({ metadata }) => metadata.name === pod),
          pod,
        );
      });

      it("--forwarded tells the app the client's address and scheme", async () => {
        const { headers, host } = await ask('web', '/who');
        assert.equal(headers['x-forwarded-for'], clientAddress);
        assert.equal(headers['x-forwarded-proto'], 'http');
        assert.equal(host, 'shop.example');
      });

      it('everything is restored afterwards', async () => {
        const { code, stderr } = await capture.stop();
        assert.equal(code, 130, stderr);
        assert.deepEqual(await shop.snapshot(...OBJECTS), original);
      });
    });
  }
});

describe('a port that is added to a tap', () => {
  it('does not change the scripts and rules of the tap, and on says so', async () => {
    const ports = [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'admin', port: 81, targetPort: 8081 },
    ];
    await shop.service('both', ports, { selector: { app: 'web' } });
    const names = ['service/both', ...OBJECTS];
    const original = await shop.snapshot(...names);
    const script = write('begun.py', 'def response(flow):\n    flow.response.headers["x-begun"] = "yes"\n');
    const first = await mittens('on', 'both', '-p', 'http', '--script', script, '--detach', ...inShop);
    assert.equal(first.code, 0, first.stderr);
    const later = ['--modify-headers', '|~s|X-Later|yes', '--detach'];
    const second = await mittens('on', 'both', '-p', 'admin', ...later, ...inShop);
    assert.equal(second.code, 0, second.stderr);
    assert.match(
      second.stderr,
      /^note: service\/both is already tapped; .*\nto start again, end it first: .*scripts\/off\.ts both -n .*$/m,
    );
    for (const port of [80, 81]) {
      const answer = await until('the script is at work', async () => {
        const answer = await shop.request('both', '/', { port });
        return answer.headers['x-begun'] !== undefined && answer;
      });
      assert.equal(answer.headers['x-later'], undefined);
    }
    const off = await mittens('off', 'both', ...inShop);
    assert.equal(off.code, 0, off.stderr);
    assert.deepEqual(await shop.snapshot(...names), original);
    await shop.kubectl('delete', 'service/both');
  });
});

describe('an app that listens only on the address of its pod', () => {
  for (const { mode, flags, skip } of MODES) {
    it(`is tapped ${mode}`, { skip }, async () => {
      const file = join(folder, `bound${flags.length}.mitm`);
      const capture = new Capture(shop, file, 'bound', '--protocol', 'http', ...flags);
      await capture.records('/bound');
      const stopped = await capture.stop();
      assert.equal(stopped.code, 130, stopped.stderr);
      const flow = (await flowsIn(file)).find(({ request }) => request?.path === '/bound');
      assert.equal(flow?.response?.status, 200);
      assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    });
  }
});

describe('--intercept', () => {
  const terminal = new Terminal();
  after(() => terminal.close());

  it('holds a matching request and then its response until the user resumes each', async () => {
    await terminal.start(commandLine('on', ['web', '--intercept', '~m POST', ...inShop]));
    await terminal.showsStatus('[i:~m POST]');
    await untilSeen('/passes');
    const answers: Answer[] = [];
    const answered = shop.request('web', '/held', { body: 'order' }).then((answer) => {
      answers.push(answer);
    });
    await terminal.shows(/POST .* \/held/);
    // A GET that was asked later is answered before.
    assert.equal((await shop.request('web', '/passes/again')).status, 200);
    assert.equal(answers.length, 0);
    await terminal.type('A');
    await terminal.shows(/POST .* \/held .* 200/);
    assert.equal((await shop.request('web', '/passes/still')).status, 200);
    assert.equal(answers.length, 0);
    await terminal.type('A');
    await answered;
    assert.equal(answers[0]?.status, 200);
  });

  /** kube-proxy takes a moment to follow the Service. */
  async function untilSeen(path: string): Promise<void> {
    await until(`${path} is shown`, async () => {
      await shop.request('web', path);
      return (await terminal.screen()).includes(path);
    });
  }

  it('everything is restored when the user quits', async () => {
    await terminal.type('q');
    await terminal.shows('Quit');
    await terminal.type('y');
    await terminal.shows('service/web is restored');
    await terminal.shows('exit code 0');
    assert.deepEqual(await shop.snapshot(...OBJECTS), original);
  });
});

describe('a script with a syntax error', () => {
  const broken = () => write('broken.py', 'addons = = []\n');
  const ways: { how: string; command: 'on' | 'capture'; flags: string[]; skip: string | false }[] = [
    { how: 'a session with a sidecar', command: 'on', flags: ['--detach'], skip: false },
    { how: 'a capture without a restart', command: 'capture', flags: ['--no-restart', '--for', '5m'], skip },
  ];
  for (const { how, command, flags, skip } of ways) {
    it(`ends ${how}: the error names the script and the line, and the Service is restored`, {
      skip,
    }, async () => {
      const output = command === 'capture' ? ['-o', join(folder, 'broken.mitm')] : [];
      const { code, stderr } = await mittens(
        ...([command, 'web', ...flags, ...output, '--script', broken(), ...inShop] as const),
      );
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^error: pod\/web-\S+, container mittens-web\S*: ended with exit code 1$/m);
      // The last line, without the colours that mitmproxy has on a terminal.
      assert.match(stderr, /^broken\.py, line 1: SyntaxError: invalid syntax$/m);
      assert.ok(!stderr.includes('\u001b'), stderr);
      assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    });
  }
});

describe('a file that is sent to the pods', () => {
  const refused = [
    {
      what: 'and is not there',
      flag: '--script',
      file: () => join(folder, 'nowhere.py'),
      says: /^error: \S+nowhere\.py can't be read: .*\n$/,
    },
    {
      what: 'and is a folder',
      flag: '--replay',
      file: () => folder,
      says: /^error: \S+ can't be read: .*\n$/,
    },
    {
      what: 'and is too big',
      flag: '--script',
      file: () => write('big.py', randomBytes(200_000)),
      says: /^error: \S+big\.py is too big for the pods: .* of at most 128 KiB\n$/,
    },
    {
      what: 'of flows, and is too big',
      flag: '--replay',
      file: () => write('big.mitm', randomBytes(200_000)),
      says: /^error: \S+big\.mitm is too big .* of at most 128 KiB\nhint: send fewer flows: .*scripts\/flows\.ts \S+big\.mitm --filter EXPRESSION -w FILE\n$/,
    },
  ];
  for (const { what, flag, file, says } of refused) {
    it(`${what} is refused before anything is changed`, async () => {
      const before = await versions();
      const { code, stdout, stderr } = await mittens('on', 'web', '--detach', flag, file(), ...inShop);
      assert.match(stderr, says);
      assert.deepEqual([code, stdout], [1, '']);
      assert.deepEqual(await versions(), before);
    });
  }

  async function versions(): Promise<unknown[]> {
    const { items } = await shop.get<{ items: { metadata: object; spec: object }[] }>('services,deployments');
    return items.map(({ metadata, spec }) => ({ ...metadata, spec }));
  }
});

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Container, type ContainerOptions, startContainer } from '../src/containers/container.ts';
import { findImage, type Image } from '../src/containers/image.ts';
import type { Running } from '../src/containers/running.ts';
import { createSandbox, dial, hostSandbox, type Sandbox } from '../src/network/sandbox.ts';
import { ServiceProxy } from '../src/network/service-proxy.ts';
import { probe } from '../src/node/probe.ts';

/** The tests that run inside the namespaces, by their titles. */
export const trials: Record<string, () => Promise<void>> = {
  'a container runs with its arguments, environment and folder, and inherits nothing from the cluster':
    async () => {
      const { output, exit } = await run(
        ['sh', '-c', 'echo "$1 $A $(pwd) $$"; env | cut -d= -f1 | sort', 'sh', "a'b c"],
        {
          env: { A: 'x y' },
          workingDir: '/usr',
        },
      );
      assert.equal(output, "a'b c x y /usr 1\nA\nHOME\nPATH\nPWD\n");
      assert.equal(exit.exitCode, 0);
    },

  'a container has its own hostname, /tmp and processes': async () => {
    const script =
      "const fs = require('fs'); console.log(os.hostname(), fs.readdirSync('/tmp').length, fs.readdirSync('/proc').filter(Number).length); fs.writeFileSync('/tmp/x', '')";
    assert.equal((await run(['node', '-e', script], { hostname: 'web-0' })).output, 'web-0 0 1\n');
  },

  "a container cannot write to the machine's folders": async () => {
    const { output } = await run([
      'sh',
      '-c',
      'for d in /usr /etc /var /opt; do touch $d/.pocket && echo $d; done; echo tried',
    ]);
    assert.doesNotMatch(output, /^\//m);
    assert.match(output, /tried\n$/);
  },

  'a container with runAsUser runs as that user, without capabilities': async () => {
    const script = 'id -u; id -g; grep CapEff /proc/self/status; touch /tmp/x && echo ok';
    const { output } = await run(['sh', '-c', script], { runAsUser: 1000, runAsGroup: 3000 });
    assert.equal(output, '1000\n3000\nCapEff:\t0000000000000000\nok\n');
  },

  'a volume appears where it is mounted, read-only if asked': async () => {
    mkdirSync('/run/pocket/volume', { recursive: true, mode: 0o777 });
    writeFileSync('/run/pocket/volume/file', 'hello');
    for (const target of ['/code', '/var/run/secrets/x', '/tmp/y', '/etc/pocket/deep', '/opt/v']) {
      const mount = (readOnly: boolean) => ({ mounts: [{ source: '/run/pocket/volume', target, readOnly }] });
      const script = `cat ${target}/file; touch ${target}/new 2>/dev/null && echo written`;
      assert.equal((await run(['sh', '-c', script], mount(true))).output, 'hello', target);
      assert.equal((await run(['sh', '-c', script], mount(false))).output, 'hellowritten\n', target);
    }
  },

  'a container ends by SIGTERM if it handles it, and always by SIGKILL': async () => {
    const deaf = await start(['sleep', '1000']);
    deaf.signal('SIGTERM');
    assert.equal(await Promise.race([deaf.exited, sleep(200)]), undefined);
    deaf.signal('SIGKILL');
    assert.equal((await deaf.exited).exitCode, 137);
    const hearing = await start([
      'sh',
      '-c',
      'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done; echo done',
    ]);
    await hearing.log.read({ follow: true }).take(1).toArray();
    hearing.signal('SIGTERM');
    assert.equal((await hearing.exited).exitCode, 5);
  },

  "a missing program is a StartError with runc's message": async () => {
    const cases = {
      nosuch: 'executable file not found in $PATH',
      '/no/such': 'stat /no/such: no such file or directory',
      '/etc': 'permission denied',
      '/etc/passwd': 'permission denied',
    };
    for (const [program, why] of Object.entries(cases)) {
      const { exitCode, reason, message, startedAt } = await (await start([program])).exited;
      assert.deepEqual([exitCode, reason, startedAt], [128, 'StartError', '1970-01-01T00:00:00Z']);
      assert.match(message ?? '', /^failed to create containerd task: /);
      assert.ok(message?.includes(`exec: "${program}": ${why}`), message);
    }
  },

  'a container that cannot be made reports that, and does not look like a program that ended': async () => {
    const { reason, message } = await (await start(['true'], { workingDir: '/usr/nowhere' })).exited;
    assert.equal(reason, 'StartError');
    assert.match(message ?? '', /the pocket cluster cannot make the container: .*\/usr\/nowhere/);
  },

  'all output of a program arrives, however large': async () => {
    for (const tty of [false, true]) {
      const { output } = await run(['node', '-e', "process.stdout.write('x'.repeat(1e6) + 'end')"], { tty });
      assert.equal(output.length, 1_000_003, `tty ${tty}`);
    }
  },

  'attached clients see new output, and share the input': async () => {
    const container = await start(['cat'], { stdin: true });
    const [one, two] = [container.attach(), container.attach()];
    one.stdin?.write('from one\n');
    assert.equal(await line(two.stdout), 'from one\n');
    one.release();
    two.stdin?.write('from two\n');
    assert.equal(await line(two.stdout), 'from two\n');
    container.signal('SIGKILL');
    assert.equal(await two.exited, 137);
  },

  'a terminal has a name, a size that can change, job control and echo': async () => {
    const container = await start(['bash', '--norc'], { tty: true, stdin: true, env: { PS1: '> ' } });
    const attached = container.attach();
    const seen = collect(attached.stdout);
    await resizes(attached, seen, 91, 33);
    attached.stdin?.write('tty; stty size; sleep 0.1 & jobs; echo $$\r');
    await until(() => /\n1\r\n/.test(seen()));
    assert.match(seen(), /> tty; stty size/, 'echo');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: bash writes them
    assert.match(seen(), /\r\n?(\x1b\[\?2004l\r)?\/dev\/pts\/\d+\r\n33 91\r\n/);
    assert.doesNotMatch(seen(), /no job control/);
    attached.stdin?.write('sleep 50\r');
    await sleep(200);
    attached.stdin?.write('\x03');
    attached.stdin?.write('exit 7\r');
    assert.equal(await attached.exited, 7);
  },

  'a terminal without input stays open': async () => {
    const container = await start(['cat'], { tty: true });
    assert.equal(await Promise.race([container.exited, sleep(300)]), undefined);
    container.signal('SIGKILL');
    await container.exited;
  },

  "exec runs in all of the container's namespaces, as its user, with its environment": async () => {
    for (const user of [0, 1000]) {
      const options = {
        runAsUser: user,
        runAsGroup: user,
        env: { A: 'b' },
        workingDir: '/usr',
        hostname: 'web-1',
      };
      const container = await start(['sh', '-c', 'touch /tmp/mine; exec sleep 1004'], options);
      await until(() => processes('sleep 1004') === 1);
      for (const tty of [false, true]) {
        const script = 'id -u; echo $A; pwd; uname -n; ls /tmp; cat /proc/1/comm; exit 9';
        const running = await container.exec(['sh', '-c', script], { tty, stdin: false });
        const output = await text(running.stdout);
        const words = `${user} b /usr web-1 mine sleep`;
        assert.equal(output.trim().split(/\s+/).join(' '), words, `user ${user}, tty ${tty}`);
        assert.equal(await running.exited, 9);
      }
      container.signal('SIGKILL');
      await container.exited;
    }
  },

  'exec takes input to its end and keeps stdout and stderr apart': async () => {
    const container = await start(['sleep', '1000']);
    const running = await container.exec(['sh', '-c', 'cat; echo wrong >&2'], { tty: false, stdin: true });
    running.stdin?.end('in');
    assert.deepEqual(await Promise.all([text(running.stdout), text(running.stderr as Readable)]), [
      'in',
      'wrong\n',
    ]);
    container.signal('SIGKILL');
  },

  'any user can open /dev/stdout and /dev/stderr': async () => {
    const script = 'echo out >/dev/stdout; echo wrong >/dev/stderr';
    for (const user of [0, 1000]) {
      const container = await start(['sleep', '1000'], { runAsUser: user, runAsGroup: user });
      const running = await container.exec(['sh', '-c', script], { tty: false, stdin: false });
      assert.deepEqual(
        await Promise.all([text(running.stdout), text(running.stderr as Readable), running.exited]),
        ['out\n', 'wrong\n', 0],
        `user ${user}`,
      );
      container.signal('SIGKILL');
    }
  },

  'exec in a terminal has job control, and follows the size': async () => {
    const container = await start(['sleep', '1000']);
    const running = await container.exec(['bash', '--norc'], { tty: true, stdin: true });
    const seen = collect(running.stdout);
    await resizes(running, seen, 77, 22);
    running.stdin?.write('stty size; tty\r');
    await until(() => /22 77\r\n\/dev\/pts/.test(seen()));
    assert.doesNotMatch(seen(), /no job control/);
    running.stdin?.write('exit 3\r');
    assert.equal(await running.exited, 3);
    container.signal('SIGKILL');
  },

  'an exec ends when its client disconnects, and a killed container leaves no process': async () => {
    const container = await start(['sleep', '1001']);
    for (const tty of [false, true]) {
      const running = await container.exec(['sleep', '1002'], { tty, stdin: true });
      await until(() => processes('sleep 1002') === 1);
      running.release();
      await until(() => processes('sleep 1002') === 0);
    }
    const other = await start(['sh', '-c', 'setsid sleep 1003 & exec sleep 1003'], { tty: true });
    await until(() => processes('sleep 1003') === 2);
    for (const each of [container, other]) each.signal('SIGKILL');
    await Promise.all([container.exited, other.exited]);
    await until(() => processes('sleep 100') + processes('script') === 0);
    await until(() => readdirSync('/run/pocket/containers').length === 0);
  },

  'a log returns lines with times, the last lines, a limited size, and follows to the end': async () => {
    const container = await start([
      'sh',
      '-c',
      'echo one; echo two; printf part; until [ -e /tmp/go ]; do sleep 0.05; done; echo ed; printf last',
    ]);
    await until(async () => (await text(container.log.read())) === 'one\ntwo\n');
    const all = text(container.log.read({ follow: true }));
    await (await container.exec(['touch', '/tmp/go'], { tty: false, stdin: false })).exited;
    assert.equal(await all, 'one\ntwo\nparted\nlast');
    assert.equal(await text(container.log.read({ tail: 2 })), 'parted\nlast');
    assert.equal(await text(container.log.read({ limitBytes: 5 })), 'one\nt');
    assert.equal(await text(container.log.read({ since: new Date(Date.now() + 1000) })), '');
    assert.match(await text(container.log.read({ tail: 1, timestamps: true })), /^\d{4}-.*T.*\.\d{9}Z last$/);
  },

  'pods reach each other and the node, can use the same port, and have their own localhost': async () => {
    await withSandboxes(async (a, b) => {
      const server = (word: string) => ['node', '-e', `net.createServer(s => s.end('${word}')).listen(80)`];
      const [one] = [await start(server('one'), { sandbox: a }), await start(server('two'), { sandbox: b })];
      await until(async () => (await ask(a.ip)) === 'one' && (await ask(b.ip)) === 'two');
      const client =
        "net.connect(80, process.argv[1]).on('error', e => console.log(e.code)).pipe(process.stdout)";
      for (const [ip, word] of [
        [b.ip, 'two'],
        ['127.0.0.1', 'one'],
      ] as const)
        assert.equal((await run(['node', '-e', client, ip], { sandbox: a })).output, word);
      one.signal('SIGKILL');
      await one.exited;
      assert.equal((await run(['node', '-e', client, '127.0.0.1'], { sandbox: a })).output, 'ECONNREFUSED\n');
    });
  },

  "dial connects to the pod's localhost, many at a time, and reports when nobody listens": async () => {
    await withSandboxes(async (a) => {
      await start(['node', '-e', ECHO, '127.0.0.1', '80'], { sandbox: a });
      await until(() => dial(a, 80).then(hangUp, () => false));
      const answers = Array.from({ length: 30 }, async (_, index) => {
        const connection = await dial(a, 80);
        connection.end(`number ${index}`);
        assert.equal(await text(connection), `number ${index}`);
      });
      await Promise.all(answers);
      await assert.rejects(dial(a, 81), /dial tcp4 127\.0\.0\.1:81: connect: connection refused/);
    });
  },

  'a ClusterIP forwards to the current endpoints, and keeps open connections': async () => {
    await withSandboxes(async (a, b) => {
      for (const sandbox of [a, b]) await start(['node', '-e', ECHO, '0.0.0.0', '80'], { sandbox });
      await until(async () => (await ask(a.ip, 'x')) === 'x' && (await ask(b.ip, 'x')) === 'x');
      const proxy = new ServiceProxy();
      const route = { ip: '10.96.0.77', port: 80 };
      await refused(route.ip);
      proxy.follow([{ ...route, endpoints: [{ ip: a.ip, port: 80 }] }]);
      await until(async () => (await ask(route.ip, 'half-closed')) === 'half-closed');
      const standing = connect({ host: route.ip, port: 80, allowHalfOpen: true });
      standing.write('be');
      assert.equal(String(await chunk(standing)), 'be');
      proxy.follow([{ ...route, endpoints: [] }]);
      await refused(route.ip);
      standing.end('fore');
      assert.equal(await text(standing), 'fore');
      proxy.follow([{ ...route, endpoints: [{ ip: b.ip, port: 99 }] }]);
      await until(() =>
        ask(route.ip, 'x').then(
          () => false,
          (error) => error.code === 'ECONNRESET',
        ),
      );
      proxy.follow([]);
    });
  },

  'probes report failures as the kubelet does': async () => {
    await withSandboxes(async (a) => {
      const script =
        "http.createServer((q, s) => q.url === '/slow' || s.writeHead(q.url.slice(1)).end()).listen(80)";
      const container = await start(['node', '-e', script], { sandbox: a });
      const pod = { status: { podIP: a.ip } } as never;
      const spec = { ports: [{ name: 'http', containerPort: 80 }] };
      const ask = (asked: object) => probe({ timeoutSeconds: 1, ...asked }, pod, spec, container);
      await until(async () => (await ask({ tcpSocket: { port: 80 } })).ok);
      assert.equal((await ask({ httpGet: { port: 'http', path: '/302' } })).ok, true);
      const cases: [object, string][] = [
        [{ tcpSocket: { port: 81 } }, `dial tcp ${a.ip}:81: connect: connection refused`],
        [{ httpGet: { port: 80, path: '/500' } }, 'HTTP probe failed with statuscode: 500'],
        [
          { httpGet: { port: 81, path: '/x' } },
          `Get "http://${a.ip}:81/x": dial tcp ${a.ip}:81: connect: connection refused`,
        ],
        [
          { httpGet: { port: 80, path: '/slow' } },
          `Get "http://${a.ip}:80/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
        ],
        [{ exec: { command: ['sh', '-c', 'echo no; exit 3'] } }, 'no\n'],
      ];
      for (const [asked, words] of cases)
        assert.deepEqual(await ask(asked), { ok: false, message: `Readiness probe failed: ${words}` });
      assert.equal((await ask({ exec: { command: ['true'] } })).ok, true);
      assert.match((await ask({ exec: { command: ['sleep', '9'] } })).message, /timed out/);
    });
  },
};

// -- helpers

const ECHO =
  'net.createServer({ allowHalfOpen: true }, s => s.pipe(s)).listen(process.argv[2], process.argv[1])';

let lastIP = 1;

async function start(command: string[], options: Partial<ContainerOptions> = {}): Promise<Container> {
  return await startContainer({
    ...{ sandbox: hostSandbox, image: findImage('node:20') as Image, command, args: [], env: {} },
    ...{ tty: false, stdin: false, runAsUser: 0, runAsGroup: 0, mounts: [], hostname: 'pod' },
    ...options,
  });
}

async function run(command: string[], options: Partial<ContainerOptions> = {}) {
  const container = await start(command, options);
  const exit = await container.exited;
  return { exit, output: await text(container.log.read()) };
}

/** Resizes a shell's terminal, and waits until the shell reports it. */
async function resizes(shell: Running, seen: () => string, columns: number, rows: number): Promise<void> {
  shell.resize(columns, rows);
  await until(async () => {
    shell.stdin?.write('stty size\r');
    await sleep(100);
    return seen().includes(`${rows} ${columns}\r\n`);
  });
}

/** Runs a function with two pods' networks, and removes them afterwards. */
async function withSandboxes(body: (a: Sandbox, b: Sandbox) => Promise<void>): Promise<void> {
  const make = () => createSandbox(`test${++lastIP}`, `10.244.0.${lastIP}`);
  const [a, b] = [await make(), await make()];
  await body(a, b);
  await Promise.all([a.remove(), b.remove()]);
}

async function ask(host: string, words?: string): Promise<string> {
  const connection = connect({ host, port: 80, allowHalfOpen: true });
  connection.end(words ?? '');
  return await text(connection);
}

async function refused(host: string): Promise<void> {
  await assert.rejects(ask(host), { code: 'ECONNREFUSED' });
}

function hangUp(connection: Duplex): boolean {
  connection.destroy();
  return true;
}

function chunk(stream: Readable): Promise<unknown> {
  return new Promise((resolve) => stream.once('data', resolve));
}

async function line(stream: Readable): Promise<string> {
  let words = '';
  while (!words.endsWith('\n')) words += await chunk(stream);
  return words;
}

/** Collects a stream's output. */
function collect(stream: Readable): () => string {
  let words = '';
  stream.on('data', (data) => {
    words += data;
  });
  return () => words;
}

/** Counts processes whose command line starts with a text. */
function processes(words: string): number {
  return readdirSync('/proc').filter((entry) => Number(entry) && commandLine(entry).startsWith(words)).length;
}

function commandLine(process: string): string {
  try {
    return readFileSync(`/proc/${process}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await Promise.resolve(holds()).catch(() => false))) {
    assert.ok(Date.now() < deadline, `never so: ${holds}`);
    await sleep(20);
  }
}

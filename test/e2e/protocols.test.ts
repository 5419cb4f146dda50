import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { execute } from '../execute.ts';
import { mittens } from '../scripts.ts';
import { Capture, flowsIn } from './capture.ts';
import { hasEphemeral } from './cluster.ts';
import { nodeContainer } from './manifests.ts';
import { Namespace } from './namespace.ts';
import { bringPeers, everything, everythingService } from './peers.ts';
import { until } from './until.ts';

// What --protocol and the flags for certificates make of what clients say. The Service all is in front of an app that
// speaks everything, besides which its port tls-strict wants a certificate of its clients; its Secret is all-tls. The
// Service plain is in front of an app without a volume.

const shop = new Namespace();
const inShop = ['-n', shop.name];
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
const OBJECTS = ['service/all', 'deployment/all', 'service/plain', 'deployment/plain'];
const skip = hasEphemeral ? false : 'this Kubernetes has no ephemeral containers';

let original: object[];
let ip: string;

before(async () => {
  await shop.create();
  await bringPeers(shop);
  await everythingService(shop, 'all');
  const strict = { name: 'tls-strict', port: 444, targetPort: 8444, protocol: 'TCP' };
  const patch = JSON.stringify([{ op: 'add', path: '/spec/ports/-', value: strict }]);
  await shop.kubectl('patch', 'service', 'all', '--type=json', `--patch=${patch}`);
  ip = await shop.kubectl('get', 'service', 'all', '-o', 'jsonpath={.spec.clusterIP}');
  const { data } = await shop.get<{ data: Record<string, string> }>('secret', 'all-tls');
  const trimmed = Object.entries(data).map(([key, value]) => [
    key,
    Buffer.from(Buffer.from(value, 'base64').toString().trim()).toString('base64'),
  ]);
  await shop.apply(
    appThatAsksForCertificates(),
    secret('trimmed', 'kubernetes.io/tls', Object.fromEntries(trimmed)),
    secret('empty', 'Opaque', {}),
  );
  await shop.app({ name: 'plain' });
  await shop.service('plain', [{ name: 'http', port: 80, targetPort: 'http' }]);
  await shop.kubectl('rollout', 'status', 'deployment/all', '--timeout=120s');
  await shop.answers('all');
  original = await shop.snapshot(...OBJECTS);
});
after(async () => {
  await shop.delete();
  rmSync(folder, { recursive: true });
});

function appThatAsksForCertificates(): object {
  const workload = everything({ name: 'all', replicas: 1, env: {} });
  const tls = { TLS_KEY: '/tls/tls.key', TLS_CERT: '/tls/tls.crt', TLS_CA: '/tls/tls.crt' };
  const mounts = ['peers', 'tls'].map((name) => ({ name, mountPath: `/${name}` }));
  const command = ['node', '/peers/app-web.mjs'];
  workload.spec.template.spec.containers.push(
    nodeContainer('strict', command, { TLS_PORT: '8444', ...tls }, mounts),
  );
  return workload;
}

function secret(name: string, type: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, data };
}

/** What a client hears, whose own process it is. */
interface Heard {
  ok: boolean;
  error?: string;
  status?: number;
  messages?: string[];
}

/** Asks by a client that verifies the app's certificate. */
async function ask(peer: 'web' | 'grpc', url: string, mode: string): Promise<Heard> {
  const client = ['env', 'TLS_CA=/tmp/all.pem', 'node', `/peers/ask-${peer}.mjs`, url, mode];
  const { stdout, stderr } = await execute('kubectl', [...inShop, 'exec', 'asker', '--', ...client]);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Heard;
}

/** Asks the Service all; what a web client hears from it is what the app was told. */
async function get(port: number, path: string): Promise<{ heard: Heard; client?: string }> {
  const scheme = port === 80 ? 'http' : 'https';
  const heard = await ask('web', `${scheme}://${ip}:${port}${path}`, 'get');
  return { heard, ...(heard.ok && JSON.parse(heard.messages?.[0] ?? '{}')) };
}

/** Captures the Service all. */
class Tap extends Capture {
  constructor(name: string, ...flags: string[]) {
    super(shop, join(folder, `${name}.mitm`), 'all', ...flags);
  }

  /** The first flow that is as wanted: it is asked for until there is one, as kube-proxy takes a moment to follow. */
  async shows(isWanted: (flow: Flow) => boolean, ask: () => Promise<unknown>): Promise<Flow> {
    await this.says('is tapped');
    return await until('the flow is recorded', async () => {
      await ask();
      return (await flowsIn(this.file, false)).find(isWanted);
    });
  }

  /** Ends it, after which all is restored. */
  async leavesNoTrace(): Promise<void> {
    const { code, stderr } = await this.stop();
    assert.equal(code, 130, stderr);
    assert.deepEqual(await shop.snapshot(...OBJECTS), original);
  }
}

function notesIn({ stderr }: Tap): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('note: '));
}

function joinBytes({ messages }: Flow, fromClient: boolean): string {
  return messages
    .filter((message) => message.fromClient === fromClient)
    .map(({ content }) => content.toString('latin1'))
    .join('');
}

const hasPath = (path: string) => (flow: Flow) => flow.request?.path === path;
const isTcp = (flow: Flow) => flow.type === 'tcp';

describe('TLS', () => {
  it('is passed on unread if no certificate is given, and on says so', {
    skip,
  }, async () => {
    const tap = new Tap('unread', '-p', 'https', '--no-restart');
    const { messages } = await tap.shows(isTcp, async () => {
      assert.deepEqual((await get(443, '/secret')).heard.status, 200);
    });
    const bytes = messages.map(({ content }) => content.toString('latin1')).join('');
    assert.ok(bytes.startsWith('\x16\x03') && !bytes.includes('/secret'));
    assert.deepEqual(notesIn(tap), [
      "note: TLS on port 443 passes unread; with --tls-secret clients see the app's certificate, with --protocol https mitmproxy's",
    ]);
    await tap.leavesNoTrace();
  });

  it('without a client certificate is refused by an app that wants one', async () => {
    assert.equal((await get(444, '/direct')).heard.ok, false);
  });

  const ways = [
    // A sidecar brings its own volume: the Secret can be any.
    { mode: 'with a sidecar', flags: ['--tls-secret', 'trimmed'], skip: false as const },
    { mode: 'without a restart', flags: ['--tls-secret', 'secret/all-tls', '--no-restart'], skip },
  ];
  for (const { mode, flags, skip } of ways) {
    it(`is decrypted with the app's own certificate, and a client certificate is shown to the app, ${mode}`, {
      skip,
    }, async () => {
      const ports = ['-p', 'https', '-p', 'tls-strict'];
      const tap = new Tap(`read${flags.length}`, ...ports, '--client-tls-secret', 'all-tls', ...flags);
      const { request, response } = await tap.shows(hasPath('/read'), async () => {
        assert.equal((await get(443, '/read')).heard.status, 200);
      });
      assert.deepEqual([request?.scheme, response?.status], ['https', 200]);
      await tap.shows(hasPath('/strict'), () => get(444, '/strict'));
      const { heard, client } = await get(444, '/satisfied');
      assert.deepEqual([heard.error, heard.status, client], [undefined, 200, 'app']);
      assert.deepEqual(notesIn(tap), []);
      await tap.leavesNoTrace();
    });
  }

  const ISSUER = `
    const [host, port] = process.argv.slice(1);
    const socket = require('node:tls').connect({ host, port, rejectUnauthorized: false }, () => {
      console.log(socket.getPeerCertificate().issuer.CN);
      socket.end();
    });`;

  it("is read with mitmproxy's certificate by --protocol https", { skip }, async () => {
    const tap = new Tap('https', '-p', 'https', '--protocol', 'https', '--no-restart');
    await tap.shows(hasPath('/theirs'), () => shop.request('all', '/theirs', { port: 443 }));
    const issuer = await shop.kubectl('exec', 'asker', '--', 'node', '-e', ISSUER, ip, '443');
    assert.equal(issuer, 'mitmproxy\n');
    const { heard } = await get(443, '/verified');
    assert.match(heard.error ?? '', /certificate/);
    await tap.leavesNoTrace();
  });

  const refused = [
    { what: 'is not there', args: ['all', '--tls-secret', 'none'], says: /secrets "none" not found/ },
    {
      what: 'has no certificate',
      args: ['all', '--client-tls-secret', 'empty'],
      says: /^error: secret\/empty has no tls\.crt and tls\.key\nhint: make one that has both: kubectl create secret tls NAME .*\n$/,
    },
    {
      what: 'no pod has as a volume',
      args: ['plain', '--tls-secret', 'all-tls', '--no-restart', '--watch-detached'],
      says: /^error: pod\/plain-\S+ has no volume with secret\/all-tls, and a running pod can't get one\nhint: leave out --no-restart; .*\n$/,
      skip,
    },
    {
      what: 'has a name that there cannot be',
      args: ['all', '--tls-secret', '../all-tls'],
      says: /^error: "\.\.\/all-tls" is not the name of a Secret\n/,
      code: 2,
    },
  ];
  for (const { what, args, says, skip, code = 1 } of refused) {
    it(`cannot be decrypted with a Secret that ${what}, and nothing is changed`, {
      skip: skip ?? false,
    }, async () => {
      const [service = '', ...flags] = args;
      const port = service === 'all' ? ['-p', 'https'] : [];
      const refusal = await mittens('on', service, ...port, ...flags, '--detach', ...inShop);
      assert.match(refusal.stderr, says);
      assert.deepEqual([refusal.code, refusal.stdout], [code, '']);
      assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    });
  }
});

describe('--protocol', () => {
  it('tcp shows HTTP as bytes, and on says so', { skip }, async () => {
    const tap = new Tap('tcp', '-p', 'http', '--protocol', 'tcp', '--no-restart');
    const flow = await tap.shows(isTcp, async () => {
      assert.equal((await shop.request('all', '/bytes')).status, 200);
    });
    assert.match(joinBytes(flow, true), /^GET \/bytes HTTP\/1\.1\r\nhost: shop\.example\r\n/i);
    assert.match(joinBytes(flow, false), /^HTTP\/1\.1 200 OK\r\n/);
    assert.deepEqual(notesIn(tap), ['note: port 80 is proxied as TCP: its bytes are shown, but not parsed']);
    await tap.leavesNoTrace();
  });

  it('h2c shows gRPC in plaintext', async () => {
    const tap = new Tap('h2c', '-p', 'grpc', '--protocol', 'h2c');
    const { request, response } = await tap.shows(hasPath('/mittens.test.Peer/Echo'), async () => {
      const { error, messages } = await ask('grpc', `http://${ip}:50051/`, 'unary');
      assert.deepEqual([error, messages], [undefined, ['hello']]);
    });
    assert.deepEqual([request?.scheme, request?.httpVersion], ['http', 'HTTP/2.0']);
    assert.ok(response?.content?.includes('hello'));
    await tap.leavesNoTrace();
  });

  it('refuses a protocol that does not exist', async () => {
    const { code, stderr } = await mittens('on', 'all', '-p', 'http', '--protocol', 'gopher', ...inShop);
    assert.equal(stderr, 'error: "gopher" is not a protocol\nhint: auto, http, https, h2c, tcp\n');
    assert.equal(code, 2);
  });
});

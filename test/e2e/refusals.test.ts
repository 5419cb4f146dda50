import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { commandLine, mittens } from '../scripts.ts';
import { hasEphemeral } from './cluster.ts';
import { app } from './manifests.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';

const shop = new Namespace('privileged');

/** What Kubernetes before 1.25 lacks. */
const NO_EPHEMERAL = /--no-restart needs ephemeral containers.*\nhint: leave out --no-restart/;

interface Case {
  name: string;
  args: string[];
  says: RegExp;
  code?: number;
}

const cases: Case[] = [
  { name: 'of type ExternalName', args: ['external'], says: /service\/external is of type ExternalName/ },
  { name: 'without a selector', args: ['by-hand'], says: /service\/by-hand has no selector/ },
  { name: 'that is headless', args: ['headless'], says: /service\/headless is headless/ },
  { name: 'whose port is UDP', args: ['udp'], says: /port 53 of service\/udp speaks UDP/ },
  { name: 'that selects no pod', args: ['nobody'], says: /no pod matches the selector of service\/nobody/ },
  {
    name: 'whose pods are scaled to zero, without a restart',
    args: withoutRestart('zero'),
    says: hasEphemeral
      ? /deployment\/zero is scaled to zero\nhint: leave out --no-restart, or .*: kubectl scale deployment\/zero --replicas=1 -n /
      : NO_EPHEMERAL,
  },
  { name: 'without a ready pod', args: ['unready'], says: /no pod of service\/unready is ready/ },
  {
    name: 'in front of several workloads, of which one cannot be tapped',
    args: ['several'],
    says: /the rollout of deployment\/paused is paused|OnDelete|hostNetwork/,
  },
  {
    name: 'in front of a bare pod, with a restart',
    args: ['bare'],
    says: /pod\/client cannot be tapped with a restart: no workload owns it.*\nhint: use --no-restart/,
  },
  {
    name: 'without a restart, and a Secret that its pods do not have',
    args: [...withoutRestart('ports'), '-p', '80', '--tls-secret', 'certificate'],
    says: hasEphemeral ? /pod\/one-\S+ has no volume with secret\/certificate/ : NO_EPHEMERAL,
  },
  {
    name: 'whose pods would have to be replaced by hand',
    args: ['by-delete'],
    says: /daemonset\/by-delete has the update strategy OnDelete.*\n(.*\n)*hint: .*--replace-pods, which evicts/,
  },
  {
    name: 'that uses hostNetwork',
    args: ['host'],
    says: /deployment\/host uses hostNetwork/,
  },
  { name: 'whose rollout is paused', args: ['paused'], says: /the rollout of deployment\/paused is paused/ },
  {
    name: 'whose named targetPort nobody has',
    args: ['misnamed'],
    says: /no container of deployment\/one has a port named nope/,
  },
  {
    name: 'with several ports and no choice',
    args: ['ports'],
    says: /has several ports: 80 \(http\), 81 \(admin\)/,
  },
  {
    name: 'without the port that is named',
    args: ['ports', '-p', '99'],
    says: /service\/ports has no port 99/,
  },
  {
    name: 'that there is not',
    args: ['nothing'],
    says: /Error from server \(NotFound\): services "nothing" not found/,
  },
  {
    name: 'with a listen port in use',
    args: ['ports', '-p', '80', '--listen-port', '8080'],
    says: /port 8080 is in use/,
  },
  {
    name: "with mitmproxy's own mode",
    args: ['ports', '-p', '80', '--', '--mode', 'socks5'],
    says: /mitmproxy's --mode is set by mittens/,
  },
  {
    name: 'with a template that is broken',
    args: ['ports', '-p', '80', '--templates', '/nowhere'],
    says: /there is no folder \/nowhere/,
  },
  { name: 'of a hostile name', args: ['web;reboot'], says: /is not a name that Kubernetes allows/, code: 2 },
  {
    name: 'that is one of several in front of a workload',
    args: ['deploy/one'],
    says: /several Services are in front of deployment\/one: .*service\/ports.*\nhint: name one of them/,
  },
  {
    name: 'that is a pod on the network of its node',
    args: ['pod/host', '-p', '8080'],
    says: hasEphemeral ? /pod\/host uses hostNetwork/ : NO_EPHEMERAL,
  },
];

function withoutRestart(service: string): string[] {
  return [service, '--no-restart', '--watch-detached'];
}

const PORTS = [{ port: 80, targetPort: 'http' }];
const behindOne = { selector: { app: 'one' } };

before(async () => {
  await shop.create();
  await Promise.all([
    shop.app({ name: 'one', ports: [8080, 8081] }),
    shop.app({ name: 'other' }),
    shop.app({ name: 'zero', replicas: 0 }),
    shop.app({ name: 'paused' }),
    shop.apply(
      app({ name: 'unready', ready: false }),
      app({ name: 'host', podSpec: { hostNetwork: true } }),
      app({ name: 'by-delete', kind: 'DaemonSet', spec: { updateStrategy: { type: 'OnDelete' } } }),
      hostPod(),
    ),
    shop.certificate('certificate', '127.0.0.1'),
  ]);
  await shop.kubectl('rollout', 'pause', 'deployment/paused');
  await Promise.all([
    ...['zero', 'paused', 'unready', 'host'].map((name) => shop.service(name, PORTS)),
    shop.service('external', PORTS, { type: 'ExternalName', externalName: 'shop.example' }),
    shop.service('by-hand', [{ port: 80 }], { selector: null }),
    shop.service('headless', PORTS, { ...behindOne, clusterIP: 'None' }),
    shop.service('udp', [{ port: 53, protocol: 'UDP' }], behindOne),
    shop.service('nobody', PORTS),
    shop.service('several', PORTS, { selector: { tier: 'shop' } }),
    shop.service('by-delete', PORTS),
    shop.service('bare', PORTS, { selector: { role: 'client' } }),
    shop.service('misnamed', [{ port: 80, targetPort: 'nope' }], behindOne),
    shop.service(
      'ports',
      [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'admin', port: 81, targetPort: 8081 },
      ],
      behindOne,
    ),
  ]);
});
after(() => shop.delete());

function hostPod(): object {
  const { template } = (app({ name: 'host' }) as { spec: { template: { spec: object } } }).spec;
  const spec = { ...template.spec, hostNetwork: true };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'host' }, spec };
}

/** Every object that a tap could touch, and how often it was ever changed. */
async function versions(): Promise<object[]> {
  const { items } = await shop.get<{ items: { kind: string; metadata: object; spec: object }[] }>(
    'services,deployments,configmaps,secrets',
  );
  return items.map(({ kind, metadata, spec }) => {
    const { name, annotations, labels, generation } = metadata as Record<string, unknown>;
    return { kind, name, annotations, labels, generation, spec };
  });
}

describe('a Service', () => {
  for (const { name, args, says, code = 1 } of cases) {
    it(`${name} is refused, and nothing is changed`, async () => {
      const before = await versions();
      const rest = args.indexOf('--');
      const flags = rest < 0 ? args : args.slice(0, rest);
      const refused = await mittens(
        'on',
        ...flags,
        '--detach',
        '-n',
        shop.name,
        ...(rest < 0 ? [] : args.slice(rest)),
      );
      assert.match(refused.stderr, says);
      assert.equal(refused.stdout, '');
      assert.equal(refused.code, code);
      assert.deepEqual(await versions(), before);
    });
  }

  it('is not tapped without a terminal, except with --detach', async () => {
    const refused = await mittens('on', 'ports', '-p', '80', '-n', shop.name);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /needs a terminal.*\nhint: use --detach/);
  });

  for (const [key, code] of [
    ['C-c', 130],
    ['C-d', 1],
  ] as const) {
    it(`is not tapped if its user answers ${key} when asked for the port`, async () => {
      const before = await versions();
      const terminal = new Terminal();
      await terminal.start(commandLine('on', ['ports', '-n', shop.name]));
      await terminal.shows('Which one? [80]');
      await terminal.type(key);
      await terminal.shows(`exit code ${code}`);
      await terminal.close();
      assert.deepEqual(await versions(), before);
    });
  }

  it('is not changed by --dry-run, which prints the plan and the patches as YAML', async () => {
    const before = await versions();
    const { code, stdout } = await mittens('on', 'ports', '-p', 'http', '--dry-run', '-n', shop.name);
    assert.equal(code, 0);
    const [plan, record, inject, retarget] = loadAll(stdout) as Record<string, unknown>[];
    assert.deepEqual(plan?.workloads, ['deployment/one']);
    assert.deepEqual(
      [record?.object, inject?.object, retarget?.object],
      ['service/ports', 'deployment/one', 'service/ports'],
    );
    assert.deepEqual(await versions(), before);
  });

  it('is not tapped by a user without the rights, and nothing is changed', async () => {
    const before = await versions();
    const nobody = `system:serviceaccount:${shop.name}:default`;
    const refused = await mittens('on', 'ports', '-p', '80', '--detach', '--as', nobody, '-n', shop.name);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Error from server \(Forbidden\): services "ports" is forbidden/);
    assert.deepEqual(await versions(), before);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makePod, Pocket } from './pocket.ts';

let pocket: Pocket;
before(async () => {
  pocket = await Pocket.start();
});
after(async () => await pocket?.stop());

type Fields = Record<string, unknown>;

const VOLUMES = [{ name: 'shared', emptyDir: {} }];
const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];

/** A container that logs what it does to a file that all containers share. */
function telling(name: string, script: string, fields: Fields = {}): Fields {
  const tell = `say() { echo "${name} $1" >>/shared/told; }; ${script}`;
  return { name, image: 'node:20', command: ['sh', '-c', tell], volumeMounts, ...fields };
}

/** Runs until SIGTERM. */
const LIVES = 'trap "say ends; exit 0" TERM; say begins; while :; do sleep 0.1; done';

function sidecar(name: string, fields: Fields = {}, script = LIVES): Fields {
  return telling(name, script, { restartPolicy: 'Always', ...fields });
}

function exec(file: string, more: Fields = {}): Fields {
  return { exec: { command: ['test', '-e', `/shared/${file}`] }, periodSeconds: 1, ...more };
}

const APP = telling('app', LIVES);

async function told(pod: string): Promise<string[]> {
  return (await pocket.run(['exec', pod, '-c', 'app', '--', 'cat', '/shared/told'])).trim().split('\n');
}

async function touch(pod: string, container: string, file: string): Promise<void> {
  await pocket.run(['exec', pod, '-c', container, '--', 'touch', `/shared/${file}`]);
}

async function line(pod: string): Promise<string> {
  const [name, ready, status] = (await pocket.run(['get', 'pod', pod, '--no-headers'])).split(/ +/);
  return `${name} ${ready} ${status}`;
}

const phaseIs = (phase: string) => (pod: { status: { phase: string } }) => pod.status.phase === phase;
const isReady = ({ status }: { status: { conditions: Fields[] } }) =>
  status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');

describe('a native sidecar', () => {
  it('starts in order, and the next container waits for its startup probe', async () => {
    const last = telling('last', 'say begins');
    const initContainers = [
      sidecar('first'),
      sidecar('second', { startupProbe: exec('up', { failureThreshold: 60 }) }),
      last,
    ];
    await pocket.make(makePod('order', { volumes: VOLUMES, initContainers, containers: [APP] }));
    await pocket.see(
      'pod',
      'order',
      'waits',
      ({ status }) => status.initContainerStatuses?.[1].state.running,
    );
    assert.equal(await line('order'), 'order 1/3 Init:1/3');
    const { status } = await pocket.get('pod', 'order');
    assert.equal(status.phase, 'Pending');
    assert.deepEqual(
      status.initContainerStatuses.map(({ started }: Fields) => started),
      [true, false, false],
    );
    await touch('order', 'second', 'up');
    await pocket.see('pod', 'order', 'is ready', isReady);
    assert.equal(await line('order'), 'order 3/3 Running');
    assert.deepEqual(await told('order'), ['first begins', 'second begins', 'last begins', 'app begins']);
  });

  it("counts for the pod's readiness, and a targetPort can name its port", async () => {
    const ports = [{ name: 'proxy', containerPort: 7777 }];
    const initContainers = [sidecar('side', { ports, readinessProbe: exec('ready') })];
    const spec = { volumes: VOLUMES, initContainers, containers: [APP] };
    await pocket.make(makePod('ready', spec, { labels: { app: 'ready' } }), {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'ready' } },
      spec: { selector: { app: 'ready' }, ports: [{ port: 80, targetPort: 'proxy' }] },
    });
    const before = await pocket.see('pod', 'ready', 'runs', phaseIs('Running'));
    const [condition] = before.status.conditions.filter(({ type }: Fields) => type === 'ContainersReady');
    assert.deepEqual(
      [condition.status, condition.message],
      ['False', 'containers with unready status: [side]'],
    );
    assert.equal(await line('ready'), 'ready 1/2 Running');
    await touch('ready', 'app', 'ready');
    await pocket.see('pod', 'ready', 'is ready', isReady);
    const { subsets } = await pocket.see(
      'endpoints',
      'ready',
      'has it',
      ({ subsets }) => subsets?.[0].addresses,
    );
    assert.deepEqual(subsets[0].ports, [{ port: 7777, protocol: 'TCP' }]);
  });

  it('is restarted whenever it ends, and when its liveness probe fails', async () => {
    const side = sidecar(
      'side',
      {},
      'say begins; until [ -e /shared/go ]; do sleep 0.1; done; rm /shared/go',
    );
    const alive = telling('alive', LIVES, { livenessProbe: exec('alive', { failureThreshold: 1 }) });
    const first = telling('first', 'touch /shared/alive');
    const spec = { volumes: VOLUMES, initContainers: [first, side], containers: [APP, alive] };
    await pocket.make(makePod('anew', { ...spec, terminationGracePeriodSeconds: 2 }));
    await pocket.see('pod', 'anew', 'is ready', isReady);
    await touch('anew', 'app', 'go');
    const seen = await pocket.see('pod', 'anew', 'is restarted', ({ status }) => {
      const side = status.initContainerStatuses[1];
      return side.restartCount === 1 && side.started;
    });
    assert.equal(seen.status.initContainerStatuses[1].lastState.terminated.exitCode, 0);
    assert.match(await pocket.run(['get', 'pod', 'anew', '--no-headers']), /^anew +3\/3 +Running +1 \(/);
    await pocket.run(['exec', 'anew', '-c', 'app', '--', 'rm', '/shared/alive']);
    await pocket.until('the probe has failed', async () => {
      const { status } = await pocket.get('pod', 'anew');
      return status.containerStatuses[1].restartCount > 0;
    });
    const events = await pocket.run(['get', 'events', '-o', 'custom-columns=M:.message']);
    assert.match(events, /Container alive failed liveness probe, will be restarted/);
    assert.match(events, /Liveness probe failed: /);
  });

  it('ends after the containers, in reverse order, when the pod is deleted', async () => {
    const initContainers = [sidecar('one'), sidecar('two')];
    const app = telling('app', LIVES.replace('say ends', 'sleep 0.5; say ends'));
    await pocket.make(makePod('goes', { volumes: VOLUMES, initContainers, containers: [app] }));
    await pocket.see('pod', 'goes', 'is ready', isReady);
    const follow = 'tail -f /shared/told';
    const seen = pocket.try(['exec', 'goes', '-c', 'one', '--', 'sh', '-c', follow]);
    await pocket.run(['delete', 'pod', 'goes']);
    assert.match((await seen).stdout, /app ends\ntwo ends\n/);
  });

  it("does not delay a pod's end", async () => {
    const app = telling('app', 'say begins; until [ -e /shared/go ]; do sleep 0.1; done; exit 0');
    const spec = { volumes: VOLUMES, initContainers: [sidecar('side')], containers: [app] };
    await pocket.make(makePod('over', { ...spec, restartPolicy: 'Never' }));
    await pocket.see('pod', 'over', 'is ready', isReady);
    await touch('over', 'app', 'go');
    const { status } = await pocket.see('pod', 'over', 'has ended', phaseIs('Succeeded'));
    assert.equal(status.initContainerStatuses[0].state.terminated.exitCode, 0);
    assert.equal(await line('over'), 'over 0/2 Completed');
  });
});

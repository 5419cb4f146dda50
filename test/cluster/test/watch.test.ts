import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IDLE, makePod, makeWorkload, Pocket } from './pocket.ts';

let pocket: Pocket;
before(async () => {
  pocket = await Pocket.start();
});
after(async () => await pocket?.stop());

describe('kubectl get pods -w', () => {
  it('shows a pod from creation to deletion, and ephemeral containers do not change its state', async () => {
    const watch = pocket.follow(['get', 'pods', '-w', '--no-headers']);
    const words = () => [
      ...new Set(
        watch
          .said()
          .trim()
          .split('\n')
          .map((line) => line.split(/ +/).slice(0, 3).join(' ')),
      ),
    ];
    await pocket.make(makePod('first'));
    await pocket.until('it watches', async () => words().some((line) => line.startsWith('first')));
    await pocket.make(makePod('web'));
    await pocket.until('it runs', async () => words().includes('web 1/1 Running'));
    const path = '/api/v1/namespaces/default/pods/web/ephemeralcontainers';
    const pod = await pocket.get('pod', 'web');
    pod.spec.ephemeralContainers = [{ name: 'tap', image: 'node:20', command: IDLE }];
    await pocket.run(['replace', '--raw', path, '-f', '-'], pod);
    await pocket.see(
      'pod',
      'web',
      'is tapped',
      ({ status }) => status.ephemeralContainerStatuses?.[0].state.running,
    );
    await pocket.run(['delete', 'pod', 'web']);
    await pocket.until('it is being deleted', async () => words().includes('web 1/1 Terminating'));
    watch.stop();
    const ofWeb = words().filter((line) => line.startsWith('web'));
    assert.deepEqual(ofWeb.slice(0, 4), [
      'web 0/1 Pending',
      'web 0/1 ContainerCreating',
      'web 1/1 Running',
      'web 1/1 Terminating',
    ]);
  });
});

describe('a Service', () => {
  it("goes to another pod as soon as its selector or a pod's label changes", async () => {
    const serving = (word: string) => [
      {
        name: 'app',
        image: 'node:20',
        command: ['node', '-e', `http.createServer((_, a) => a.end('${word}')).listen(80)`],
      },
    ];
    await pocket.make(
      makePod('one', { containers: serving('one') }, { labels: { app: 'one' } }),
      makePod('two', { containers: serving('two') }, { labels: { app: 'two' } }),
      makePod('client'),
      {
        ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' } },
        spec: { selector: { app: 'one' }, ports: [{ port: 80 }] },
      },
    );
    const { clusterIP } = (await pocket.get('service', 'one')).spec;
    const ask = async () => {
      const script = `fetch('http://${clusterIP}', { headers: { connection: 'close' } }).then(async (a) => console.log(await a.text()), () => console.log('refused'))`;
      return (await pocket.try(['exec', 'client', '--', 'node', '-e', script])).stdout.trim();
    };
    const answers = (word: string) => pocket.until(`it answers ${word}`, async () => (await ask()) === word);
    await answers('one');
    await pocket.run(['patch', 'service', 'one', '-p', '{"spec":{"selector":{"app":"two"}}}']);
    await answers('two');
    await pocket.run(['label', 'pod', 'two', '--overwrite', 'app=none']);
    await answers('refused');
    await pocket.run(['label', 'pod', 'one', '--overwrite', 'app=two']);
    await answers('one');
  });
});

describe('a pod of a Deployment', () => {
  it('is replaced when its label changes, and keeps running without an owner', async () => {
    await pocket.make(makeWorkload('Deployment', 'web'));
    await pocket.run(['rollout', 'status', 'deployment/web', '--timeout=30s']);
    const list = async (app: string) =>
      (await pocket.run(['get', 'pods', '-l', `app=${app}`, '-o', 'name']))
        .trim()
        .split('\n')
        .filter(Boolean);
    const [pod = ''] = await list('web');
    await pocket.run(['label', pod, '--overwrite', 'app=aside']);
    await pocket.until('there is a new pod', async () => (await list('web')).length === 1);
    assert.deepEqual(await list('aside'), [pod]);
    assert.equal((await pocket.get('pod', pod.replace('pod/', ''))).metadata.ownerReferences, undefined);
  });
});

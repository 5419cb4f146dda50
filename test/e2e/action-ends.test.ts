import assert from 'node:assert/strict';

import { after, afterEach, before, describe, it } from 'node:test';
import type { RunnerJob } from '../action/runner.ts';
import { execute } from '../execute.ts';
import { ActionStage } from './action.ts';
import { pathsIn } from './capture.ts';
import { hasEphemeral } from './cluster.ts';
import { until } from './until.ts';

let stage: ActionStage;
let original: object[];

before(async () => {
  stage = await ActionStage.set();
  original = await stage.snapshot();
});
afterEach(async () => assert.deepEqual(await stage.snapshot(), original));
after(async () => await stage.clear());

/** Whether the Service has the record of a tap. */
async function isRecorded(): Promise<boolean> {
  return (await stage.shop.kubectl('get', 'service/web', '-o', 'yaml')).includes('mittens.dev');
}

describe('the Action, when something goes wrong', () => {
  it('restores the Service in post if main was cancelled or killed while it tapped or while its command ran', async () => {
    const runs = (job: RunnerJob) => () => /^running$/m.test(job.log);
    for (const [inputs, sign, signal] of [
      [{}, () => isRecorded, 'SIGINT'],
      [{ run: 'echo running; sleep 600' }, runs, 'SIGINT'],
      [{ run: 'echo running; sleep 5' }, runs, 'SIGKILL'],
    ] as const) {
      const job = stage.job({ ...inputs, upload: 'false' });
      const main = job.main();
      await until('it has come so far', sign(job));
      job.kill(signal);
      assert.notEqual((await main).code, 0);
      const post = await job.post();
      assert.equal(post.code, 0, post.log);
      assert.deepEqual(await stage.snapshot(), original);
    }
  });

  it('restores the Service in post and keeps the flows if main and its child processes were killed', async () => {
    const job = stage.job({ upload: 'false' });
    assert.equal((await job.main()).code, 0);
    await stage.shop.proxied('web');
    await stage.shop.request('web', '/before-the-kill');
    await execute('pkill', ['-KILL', '-f', `dist/capture.js ${job.temp}`]);
    await stage.shop.request('web', '/after-the-kill');
    const post = await job.post();
    assert.equal(post.code, 0, post.log);
    const paths = await pathsIn(post.outputs.mitm ?? '');
    for (const path of ['/before-the-kill', '/after-the-kill'])
      assert.equal(paths.filter((one) => one === path).length, 1, path);
  });

  it('fails if a Service cannot be restored, prints the command that repairs it, and restores the others', async () => {
    const job = stage.job({ service: `${stage.service}\n${stage.shop.name}/other`, upload: 'false' });
    assert.equal((await job.main()).code, 0);
    const record = 'jsonpath={.metadata.annotations.mittens\\.dev/tap}';
    const tap = await stage.shop.kubectl('get', 'service/web', '-o', record);
    await stage.shop.kubectl('annotate', '--overwrite', 'service/web', 'mittens.dev/tap={}');
    const post = await job.post();
    assert.equal(post.code, 1);
    assert.match(
      post.log,
      /^::error::\S+\/web could not be restored: .*%0ARepair it: npx tsx scripts\/off\.ts \S+\/web$/m,
    );
    assert.match(post.summary, /could not be restored/);
    const lenient = await job.post({ 'ignore-failed-clean': 'true' });
    assert.equal(lenient.code, 0, lenient.log);
    assert.match(lenient.log, /^::warning::\S+\/web could not be restored/m);
    assert.deepEqual((await stage.snapshot()).slice(2), original.slice(2));
    await stage.shop.kubectl('annotate', '--overwrite', 'service/web', `mittens.dev/tap=${tap}`);
    const repair = await execute('npx', ['tsx', 'scripts/off.ts', stage.service]);
    assert.equal(repair.code, 0, repair.stderr);
  });

  it('changes nothing if one of its Services cannot be tapped', async () => {
    const job = stage.job({ service: `${stage.service}\n${stage.shop.name}/none` });
    const main = await job.main();
    assert.equal(main.code, 1);
    assert.match(main.log, /^::error::.*services "none" not found/m);
    assert.deepEqual(await stage.snapshot(), original);
    const post = await job.post();
    assert.deepEqual([post.code, post.log], [0, '']);
  });

  it('takes over the tap of a runner that was lost', async () => {
    const lost = stage.job({});
    assert.equal((await lost.main()).code, 0);
    await execute('pkill', ['-KILL', '-f', `dist/capture.js ${lost.temp}`]);
    const job = stage.job({ run: await stage.requestCommand('/next'), upload: 'false' });
    const { code, log, outputs } = await job.main();
    assert.equal(code, 0, log);
    assert.match(
      log,
      /service\/web was left tapped, by https:.*\/octo\/shop\/actions\/runs\/4711\/attempts\/1#e2e-/,
    );
    assert.ok((await pathsIn(outputs.mitm ?? '')).includes('/next'));
  });

  it('fails if a tap with --no-restart ended before the job did', {
    skip: hasEphemeral ? false : 'this Kubernetes has no ephemeral containers',
  }, async () => {
    const job = stage.job({ mode: 'ephemeral', upload: 'false' });
    assert.equal((await job.main()).code, 0);
    await stage.shop.proxied('web');
    const pod = await stage.shop.kubectl(
      'get',
      'pods',
      '-l',
      'app=web',
      '-o',
      'jsonpath={.items[0].metadata.name}',
    );
    const names = 'jsonpath={.spec.ephemeralContainers[-1:].name}';
    const container = await stage.shop.kubectl('get', 'pod', pod, '-o', names);
    const end = ['sh', '-c', 'kill -USR1 "$(cat /tmp/mittens.pid)"'];
    await stage.shop.kubectl('exec', pod, '-c', container, '--', ...end);
    await until('the Service is restored', async () => !(await isRecorded()));
    const post = await job.post();
    assert.equal(post.code, 1);
    assert.match(
      post.log,
      /^::error::\S+\/web was restored before the end of the job: pod\/web-\S+, container/m,
    );
    assert.match(post.summary, /was restored before the end of the job/);
  });
});

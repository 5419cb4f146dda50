import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { readZip } from '../action/zip.ts';
import { provideNode } from '../setup/node.ts';
import { ActionStage } from './action.ts';
import { pathsIn } from './capture.ts';

/** The version that action.yml asks for. */
const node = await provideNode(24, AbortSignal.timeout(300_000));
let stage: ActionStage;
let original: object[];

before(async () => {
  stage = await ActionStage.set();
  original = await stage.snapshot();
});
afterEach(async () => assert.deepEqual(await stage.snapshot(), original));
after(async () => await stage.clear());

describe('the Action', () => {
  it('taps in main; restores the Service, uploads the redacted flows and writes the summary in post', async () => {
    const secrets = ['hunter2hunter2', 'AKIAIOSFODNN7EXAMPLE', 's3cr3t-t0k3n-0f-us'];
    const job = stage.job({ formats: 'mitm har html jsonl', 'redact-names': 'shopkey' });
    const main = await job.main();
    assert.equal(main.code, 0, main.log);
    assert.match(main.log, /service\/web is tapped/);
    await stage.shop.proxied('web');
    const body = JSON.stringify({ password: secrets[0], note: `key ${secrets[1]}` });
    await stage.shop.request('web', `/orders/17?shopkey=${secrets[2]}&page=2`, { body });
    await stage.shop.request('web', '/orders/18?status=503');
    const post = await job.post();
    assert.equal(post.code, 0, post.log);

    const artifact = stage.artifacts.artifacts.at(-1);
    assert.equal(artifact?.name, `mittens-${stage.shop.name}.web-e2e`);
    const files = readZip(artifact?.zip ?? Buffer.alloc(0));
    const names = ['har', 'html', 'jsonl', 'mitm'].map((format) => `${stage.shop.name}.web.${format}`);
    assert.deepEqual([...files.keys()].sort(), names);
    const flows = join(job.temp, 'from-artifact.mitm');
    writeFileSync(flows, files.get(`${stage.shop.name}.web.mitm`) ?? '');
    const paths = await pathsIn(flows);
    assert.equal(paths.filter((path) => path.startsWith('/orders/')).length, 2);
    for (const [name, content] of [
      ...files,
      ['log', main.log + post.log],
      ['summary', post.summary],
    ] as const)
      for (const secret of secrets) assert.ok(!content.includes(secret), `${secret} in ${name}`);
    assert.match(post.summary, /POST \/orders\/\{id\}.*200 ×1/);
    assert.match(post.summary, /Errors of .*\(1\).*503/);
    assert.match(
      post.summary,
      /href="https&#58;\/\/github.com\/octo\/shop\/actions\/runs\/4711\/artifacts\/\d+"/,
    );
    assert.match(post.summary, /pie showData/);
  });

  it('taps, runs a command and restores the Service in one step, and sets outputs for later steps', {
    skip: !node,
  }, async () => {
    const job = stage.job({ run: await stage.requestCommand('/of-run') }, node ? { node } : {});
    const main = await job.main();
    assert.equal(main.code, 0, main.log);
    const { outputs } = main;
    assert.ok(Number(outputs['flow-count']) >= 1);
    assert.equal(outputs['error-count'], '0');
    assert.ok((await pathsIn(outputs.mitm ?? '')).includes('/of-run'));
    assert.deepEqual(outputs.files?.split('\n'), [outputs.mitm, outputs.har, outputs.html]);
    assert.equal(JSON.parse(readFileSync(outputs.har ?? '', 'utf8')).log.version, '1.2');
    const artifact = stage.artifacts.artifacts.at(-1);
    assert.equal(outputs['artifact-id'], String(artifact?.id));
    assert.match(outputs['artifact-url'] ?? '', new RegExp(`/artifacts/${artifact?.id}$`));
    assert.match(outputs['artifact-digest'] ?? '', /^[0-9a-f]{64}$/);
    const post = await job.post();
    assert.deepEqual([post.code, post.log, post.summary], [0, '', '']);
  });

  it('fails if its command fails, after everything else is done', async () => {
    const job = stage.job({ run: `${await stage.requestCommand('/failing')}\nexit 3`, upload: 'false' });
    const main = await job.main();
    assert.equal(main.code, 1);
    assert.match(main.log, /^::error::run ended with exit code 3$/m);
    assert.ok((await pathsIn(main.outputs.mitm ?? '')).includes('/failing'));
    assert.match(main.summary, /\/failing/);
  });

  it('fails if a forbidden flow is there or an expected one is missing, and reports what is new since a baseline', async () => {
    const baseline = stage.job({ run: await stage.requestCommand('/known'), upload: 'false' });
    const { outputs } = await baseline.main();
    const job = stage.job({
      run: `${await stage.requestCommand('/known')}\n${await stage.requestCommand('/new?status=500')}`,
      'fail-on': '~c 5..',
      expect: '~u /never',
      baseline: outputs.har ?? '',
      upload: 'false',
    });
    const { code, log, summary } = await job.main();
    assert.equal(code, 1);
    assert.match(
      log,
      /^::error::1 flow matches ~c 5\.\.%0AGET \/new\?status=500: 500 Internal Server Error$/m,
    );
    assert.match(log, /^::error::no flow matches ~u \/never$/m);
    assert.match(summary, /Flows that fail the job \(1\).*GET \/new/);
    assert.match(summary, /Differences from the baseline \(1\).*new.*GET \/new/);
  });

  it('taps two Services in one job, and one Service in two jobs of a matrix at the same time', async () => {
    const two = { service: `${stage.service}\n${stage.shop.name}/other:80` };
    const both = stage.job({ ...two, run: 'true', summary: 'false' });
    const { code, log, outputs, summary } = await both.main();
    assert.equal(code, 0, log);
    assert.equal(outputs.mitm?.split('\n').length, 2);
    assert.equal(summary, '');
    assert.equal(
      stage.artifacts.artifacts.at(-1)?.name,
      `mittens-${stage.shop.name}.web+${stage.shop.name}.other-e2e`,
    );
    const matrix = ['web', 'other'].map((name, index) =>
      stage.job({ service: `${stage.shop.name}/${name}` }, { matrix: { index, total: 2 } }),
    );
    for (const main of await Promise.all(matrix.map((job) => job.main())))
      assert.equal(main.code, 0, main.log);
    for (const post of await Promise.all(matrix.map((job) => job.post())))
      assert.equal(post.code, 0, post.log);
    const names = stage.artifacts.artifacts
      .slice(-2)
      .map(({ name }) => name)
      .sort();
    assert.deepEqual(names, [
      `mittens-${stage.shop.name}.other-e2e-1`,
      `mittens-${stage.shop.name}.web-e2e-0`,
    ]);
  });

  it('restores the Service in post if its baseline is gone by then, and fails because of it', async () => {
    const baseline = join(tmpdir(), `baseline-${stage.shop.name}.har`);
    writeFileSync(baseline, '{"log":{"version":"1.2","entries":[]}}');
    const job = stage.job({ baseline, upload: 'false' });
    assert.equal((await job.main()).code, 0);
    rmSync(baseline);
    const post = await job.post();
    assert.equal(post.code, 1);
    assert.match(post.log, /^::error::input baseline: .*no such file/m);
  });

  it('uses all of its inputs', async () => {
    const { shop } = stage;
    const protocol = `kubectl -n ${shop.name} get service other -o yaml | grep -q '"protocol":"https"'`;
    const inputs = {
      ...{
        namespace: shop.name,
        context: (await shop.kubectl('config', 'current-context')).trim(),
        mode: 'sidecar',
      },
      ...{
        timeout: '2m',
        upload: 'true',
        image: process.env.MITTENS_IMAGE ?? '',
        kubeconfig: process.env.KUBECONFIG ?? '',
      },
    };
    const encrypted = stage.job({
      ...inputs,
      service: 'other',
      port: '80',
      protocol: 'https',
      run: protocol,
      upload: 'false',
    });
    const { code, log } = await encrypted.main();
    assert.equal(code, 0, log);
    const run = `${await stage.requestCommand('/left-out')}\n${await stage.requestCommand('/kept')}`;
    const named = {
      'artifact-name': `of-${shop.name}`,
      'retention-days': '3',
      redact: 'false',
      formats: 'har',
    };
    const { outputs } = await stage
      .job({ ...inputs, ...named, service: 'web', filter: '~u /kept', run })
      .main();
    const artifact = stage.artifacts.artifacts.at(-1);
    assert.equal(artifact?.name, `of-${shop.name}`);
    const days = (Date.parse(artifact?.expiresAt ?? '') - Date.now()) / 86_400_000;
    assert.ok(days > 2.9 && days < 3.1, artifact?.expiresAt);
    assert.deepEqual([...readZip(artifact?.zip ?? Buffer.alloc(0)).keys()], [`${shop.name}.web.har`]);
    const { entries } = JSON.parse(readFileSync(outputs.har ?? '', 'utf8')).log;
    assert.ok(
      entries.length > 0 &&
        entries.every((entry: { request: { url: string } }) => entry.request.url.endsWith('/kept')),
    );
  });

  it('keeps the files and warns if they cannot be uploaded', async () => {
    stage.artifacts.failing = 403;
    try {
      const job = stage.job({ run: 'true' });
      const { code, log, outputs } = await job.main();
      assert.equal(code, 0, log);
      assert.match(log, /^::warning::the flows were not uploaded: .*%0Athe files are in /m);
      assert.equal(outputs['artifact-id'], '');
      readFileSync(outputs.mitm ?? '');
    } finally {
      stage.artifacts.failing = undefined;
    }
    const enterprise = stage.job({ run: 'true' }, { env: { GITHUB_SERVER_URL: 'https://git.example' } });
    assert.match((await enterprise.main()).log, /^::warning::.*git\.example is a GitHub Enterprise Server/m);
  });
});

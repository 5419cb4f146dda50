import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunnerJob } from '../action/runner.ts';
import { execute } from '../e2e/namespace.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mittens-action-'));
after(() => rmSync(folder, { recursive: true }));

/** No cluster is there, and no kubeconfig. */
const NOWHERE = { KUBECONFIG: join(folder, 'none'), HOME: folder };

describe("the Action's inputs", () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    ['no Service', { service: ' ' }, /input service: which Service\?%0Ahint: service: shop\/orders$/m],
    ['a pod', { service: 'pod/web' }, /input service: "pod\/web" is not a Service/],
    [
      'a hostile name',
      { service: 'web;rm -rf $HOME' },
      /input service: ".*" is not a name that Kubernetes allows/,
    ],
    ['an unknown mode', { mode: 'magic' }, /input mode: "magic" is none of sidecar, ephemeral$/m],
    [
      'an unknown protocol',
      { protocol: 'ftp' },
      /input protocol: "ftp" is none of auto, http, https, h2c, tcp$/m,
    ],
    ['a filter that is none', { filter: '~nope' }, /input filter: .*~nope/],
    ['a broken fail-on', { 'fail-on': '~c (' }, /input fail-on: /],
    ['a broken expect', { expect: '~m' }, /input expect: /],
    ['no boolean', { redact: 'maybe' }, /input redact: "maybe" is neither true nor false$/m],
    ['an unknown format', { formats: 'har,pdf' }, /input formats: "pdf" is none of mitm, har, html, jsonl$/m],
    ['a bad name', { 'artifact-name': 'a/b' }, /input artifact-name: an artifact's name can't have "\/"$/m],
    ['too many days', { 'retention-days': '1000' }, /input retention-days: "1000" is no number of days/],
    ['no baseline', { baseline: '/none.mitm' }, /input baseline: there is no file \/none\.mitm$/m],
    ['no duration', { timeout: 'soon' }, /input timeout: "soon" is not a duration/],
    [
      'no kubeconfig',
      { kubeconfig: 'secret: [' },
      /input kubeconfig: it is neither a file nor the content of a/,
    ],
  ];
  for (const [what, inputs, says] of wrong) {
    it(`are refused in one clear line: ${what}`, async () => {
      const job = new RunnerJob({ service: 'web', ...inputs }, { env: NOWHERE });
      const { code, log } = await job.main();
      assert.equal(code, 1);
      assert.match(log, says);
      assert.equal(log.trim().split('\n').length, 1, log);
      const post = await job.post();
      assert.deepEqual([post.code, post.log], [0, '']);
      rmSync(job.temp, { recursive: true });
    });
  }

  it('are tried: without a cluster, the error is that of kubectl', async () => {
    const job = new RunnerJob({ service: 'shop/web' }, { env: NOWHERE });
    const { code, log } = await job.main();
    assert.equal(code, 1);
    assert.match(log, /^::error::.*(connection to the server|connection refused)/m);
    assert.equal(log.match(/::error::/g)?.length, 1, log);
    assert.deepEqual((await job.post()).log, '');
    rmSync(job.temp, { recursive: true });
  });

  it('can be the content of a kubeconfig, whose credentials are masked before anything is printed', async () => {
    const users = [{ name: 'ci', user: { token: 't0ken-of-ci', 'client-key-data': 'a2V5' } }];
    const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }];
    const contexts = [{ name: 'c', context: { cluster: 'c', user: 'ci' } }];
    const kubeconfig = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters,
      contexts,
      users,
    });
    const job = new RunnerJob({ service: 'shop/web', kubeconfig }, { env: NOWHERE });
    const { log } = await job.main();
    assert.match(log, /^::add-mask::t0ken-of-ci\n::add-mask::a2V5\n/);
    assert.doesNotMatch(log.replace(/^::add-mask::.*$/gm, ''), /t0ken-of-ci|a2V5/);
    assert.match(log, /127\.0\.0\.1:1/);
    rmSync(job.temp, { recursive: true });
  });
});

describe('action/dist', () => {
  it('is what make dist makes', async () => {
    const fresh = join(folder, 'dist');
    const { code, stderr } = await execute(process.execPath, [
      '--import',
      'tsx',
      `${ROOT}action/bundle.ts`,
      fresh,
    ]);
    assert.equal(code, 0, stderr);
    const committed = join(ROOT, 'action/dist');
    assert.deepEqual(readdirSync(committed).sort(), readdirSync(fresh).sort());
    for (const name of readdirSync(fresh))
      assert.ok(
        readFileSync(join(committed, name)).equals(readFileSync(join(fresh, name))),
        `make dist: ${name}`,
      );
  });

  it('says nothing of the machine that made it', () => {
    for (const name of readdirSync(join(ROOT, 'action/dist')))
      assert.ok(!readFileSync(join(ROOT, 'action/dist', name)).includes(ROOT), name);
  });
});

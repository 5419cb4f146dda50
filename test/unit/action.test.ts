import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunnerJob } from '../action/runner.ts';
import { execute } from '../execute.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mittens-action-'));
after(() => rmSync(folder, { recursive: true }));

/** The environment of a machine whose cluster is down. */
const NOWHERE = { KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
writeFileSync(NOWHERE.KUBECONFIG, formatKubeconfig({ token: 't' }));

/** A kubeconfig of a cluster that refuses every connection; JSON is YAML, too. */
function formatKubeconfig(user: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'ci' } }],
    users: [{ name: 'ci', user }],
  });
}

describe("the Action's inputs", () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    ['an empty service', { service: ' ' }, /input service: which Service\?%0Ahint: service: shop\/orders$/m],
    ['a pod instead of a Service', { service: 'pod/web' }, /input service: "pod\/web" is not a Service/],
    [
      'a hostile name',
      { service: 'web;rm -rf $HOME' },
      /input service: ".*" is not a name that Kubernetes allows/,
    ],
    ['an unknown mode', { mode: 'magic' }, /input mode: "magic" is not one of sidecar, ephemeral$/m],
    [
      'an unknown protocol',
      { protocol: 'ftp' },
      /input protocol: "ftp" is not one of auto, http, https, h2c, tcp$/m,
    ],
    ['an unknown engine', { engine: 'tcpdump' }, /input engine: "tcpdump" is not one of wire, mitmdump$/m],
    ['a filter with an unknown operator', { filter: '~nope' }, /input filter: .*~nope/],
    ['a broken fail-on', { 'fail-on': '~c (' }, /input fail-on: /],
    ['a broken expect', { expect: '~m' }, /input expect: /],
    [
      'a value that is not a boolean',
      { redact: 'maybe' },
      /input redact: "maybe" is neither true nor false$/m,
    ],
    [
      'an unknown format',
      { formats: 'har,pdf' },
      /input formats: "pdf" is not one of mitm, har, html, jsonl$/m,
    ],
    [
      'an artifact name with a slash',
      { 'artifact-name': 'a/b' },
      /input artifact-name: an artifact's name can't have "\/"$/m,
    ],
    [
      'a retention of more days than GitHub allows',
      { 'retention-days': '1000' },
      /input retention-days: "1000" is not a number of days/,
    ],
    [
      'a baseline file that does not exist',
      { baseline: '/none.mitm' },
      /input baseline: there is no file \/none\.mitm$/m,
    ],
    ['a timeout that is not a duration', { timeout: 'soon' }, /input timeout: "soon" is not a duration/],
    [
      'a kubeconfig that is neither a file nor valid content',
      { kubeconfig: 'secret: [' },
      /input kubeconfig: it is neither a file nor the content of a/,
    ],
  ];
  for (const [what, inputs, says] of wrong) {
    it(`the Action refuses ${what} in one line, and post then does nothing`, async () => {
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

  it('the Action shows the error of kubectl once if the cluster is down', async () => {
    const job = new RunnerJob({ service: 'shop/web' }, { env: NOWHERE });
    const { code, log } = await job.main();
    assert.equal(code, 1);
    assert.match(log, /^::error::.*(connection to the server|connection refused)/m);
    assert.equal(log.match(/::error::/g)?.length, 1, log);
    assert.deepEqual((await job.post()).log, '');
    rmSync(job.temp, { recursive: true });
  });

  it('the Action takes the content of a kubeconfig, and masks its credentials before it prints anything', async () => {
    const kubeconfig = formatKubeconfig({ token: 't0ken-of-ci', 'client-key-data': 'a2V5' });
    const job = new RunnerJob({ service: 'shop/web', kubeconfig }, { env: NOWHERE });
    const { log } = await job.main();
    assert.match(log, /^::add-mask::t0ken-of-ci\n::add-mask::a2V5\n/);
    assert.doesNotMatch(log.replace(/^::add-mask::.*$/gm, ''), /t0ken-of-ci|a2V5/);
    assert.match(log, /127\.0\.0\.1:1/);
    rmSync(job.temp, { recursive: true });
  });
});

describe('action/dist', () => {
  const committed = join(ROOT, 'action/dist');
  const fresh = join(folder, 'dist');
  before(async () => await bundle(fresh));

  it('action/dist is what make dist writes', () => assertSame(committed, fresh));

  it('two builds of action/dist are identical', async () => {
    const again = join(folder, 'again');
    await bundle(again);
    assertSame(again, fresh);
  });

  it('the files of action/dist have no hash in their names', () => {
    for (const name of readdirSync(fresh))
      assert.match(name, /^(main|post|capture|artifact)\.js(\.LEGAL\.txt)?$/);
  });

  it('only an upload loads the artifact client, which is a file of its own', async () => {
    const { DefaultArtifactClient } = await import(join(fresh, 'artifact.js'));
    assert.equal(typeof new DefaultArtifactClient().uploadArtifact, 'function');
    // A call of the artifact service's API.
    const hasClient = (name: string) => readFileSync(join(fresh, name), 'utf8').includes('CreateArtifact');
    const programs = ['main.js', 'post.js', 'capture.js', 'artifact.js'];
    assert.deepEqual(programs.map(hasClient), [false, false, false, true]);
    for (const name of ['main.js', 'post.js']) {
      const text = readFileSync(join(fresh, name), 'utf8');
      assert.match(text, /import\("\.\/artifact\.js"\)/, name);
      assert.doesNotMatch(text, /\bfrom ?"\.\/artifact\.js"/, name);
    }
  });

  it('action/dist contains no path of the machine that built it', () => {
    for (const dist of [committed, fresh])
      for (const name of readdirSync(dist))
        assert.ok(!readFileSync(join(dist, name)).includes(ROOT), join(dist, name));
  });
});

async function bundle(into: string): Promise<void> {
  const args = ['--import', 'tsx', `${ROOT}action/bundle.ts`, into];
  const { code, stderr } = await execute(process.execPath, args);
  assert.equal(code, 0, stderr);
}

function assertSame(actual: string, expected: string): void {
  assert.deepEqual(readdirSync(actual).sort(), readdirSync(expected).sort(), 'make dist');
  for (const name of readdirSync(expected))
    assert.ok(
      readFileSync(join(actual, name)).equals(readFileSync(join(expected, name))),
      `make dist: ${name}`,
    );
}

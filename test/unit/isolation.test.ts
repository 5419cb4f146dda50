import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Result } from '../execute.ts';
import { writeKubeconfig } from '../kubeconfig.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));

/** What the user's cluster was asked. */
let requests: string[] = [];
const server = createServer(({ method, url }, response) => {
  requests.push(`${method} ${url}`);
  response.end('{}');
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  writeKubeconfig(folder, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs node in the environment of a user whose kubeconfig names the server above. */
function runNode(...args: string[]): Promise<Result> {
  const { NODE_TEST_CONTEXT: _, MITTENS_TEST_KUBECONFIG: __, ...inherited } = process.env;
  const env = { ...inherited, KUBECONFIG: join(folder, 'kubeconfig') };
  requests = [];
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', ...args], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) || 1 : 0, stdout, stderr }),
    );
  });
}

describe("the cluster that the user's kubeconfig names", () => {
  it('would tell if a test asked it', async () => {
    const { code } = await runNode('-e', "require('child_process').execFileSync('kubectl', ['get', 'pods'])");
    assert.notEqual(code, 0);
    assert.ok(requests.length > 0);
  });

  it('is not asked when the unit tests are loaded', async () => {
    const files = readdirSync(join(ROOT, 'test/unit')).filter((name) => name.endsWith('.test.ts'));
    const urls = files.map((name) => pathToFileURL(join(ROOT, 'test/unit', name)).href);
    const all = join(folder, 'all.mjs');
    writeFileSync(
      all,
      `${urls.map((url) => `await import('${url}');`).join('\n')}\nconsole.log('all loaded');`,
    );
    const { stdout, stderr } = await runNode('--test-name-pattern=^no test has this name$', all);
    assert.match(stdout, /all loaded/, stderr);
    assert.deepEqual(requests, []);
  });

  it('is not asked by unit tests that run kubectl under test/run.ts', async () => {
    const test = join(folder, 'asks.test.mjs');
    const source = [
      "import { test } from 'node:test';",
      "import { execFileSync } from 'node:child_process';",
      "test('asks', () => execFileSync('kubectl', ['get', 'pods'], { stdio: 'inherit' }));",
    ];
    writeFileSync(test, source.join('\n'));
    const { code, stdout } = await runNode('test/run.ts', test);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /127\.0\.0\.1:1 was refused/);
    assert.deepEqual(requests, []);
  });

  it('is not asked by an end-to-end test that is started without test/run.ts', async () => {
    const { code, stdout, stderr } = await runNode('--test', 'test/e2e/list.test.ts');
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /end-to-end tests need a cluster of their own: make e2e/);
    assert.deepEqual(requests, []);
  });
});

describe('the commands that run tests', () => {
  const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

  it('all start test/run.ts', () => {
    const makefile = read('Makefile').split('\n');
    const recipes = makefile.filter((line) => line.startsWith('\t') && /\$\((CORE|ALL|E2E)\)/.test(line));
    assert.equal(recipes.length, 3);
    for (const recipe of recipes) assert.match(recipe, /^\t\$\(RUN\) test\/run\.ts /);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    assert.deepEqual([scripts.test, scripts.e2e], ['make test', 'make e2e']);
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser, findBrowser } from '../browser.ts';
import { commandLine } from '../scripts.ts';
import { hasEphemeral } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { until } from './until.ts';

const shop = new Namespace();
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
const OBJECTS = ['service/web', 'deployment/web'];
const program = findBrowser();
const MODES = [
  { mode: 'with a sidecar', flags: [], skip: false as string | false },
  {
    mode: 'without a restart',
    flags: ['--no-restart'],
    skip: hasEphemeral ? false : 'this Kubernetes has no ephemeral containers',
  },
];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web' });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
});
after(async () => {
  await shop.delete();
  rmSync(folder, { recursive: true });
});

for (const { mode, flags, skip } of MODES) {
  const why = skip || (program ? false : 'there is no browser');
  describe(`mitmproxy's web interface, ${mode}`, { skip: why }, () => {
    it('opens in the browser with its token, shows a request, and ends with the tap', async () => {
      const original = await shop.snapshot(...OBJECTS);
      // A browser that notes what it is told to open.
      const [script, opened] = [join(folder, 'browser'), join(folder, `opened${flags.length}`)];
      writeFileSync(script, `#!/bin/sh\nprintf %s "$1" >"${opened}"\n`);
      chmodSync(script, 0o755);
      const [node = '', ...line] = commandLine('on', ['web', '--web', '-n', shop.name, ...flags]);
      const on = spawn(node, line, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, BROWSER: script },
      });
      let [stdout, stderr] = ['', ''];
      on.stdout.on('data', (data) => (stdout += data));
      on.stderr.on('data', (data) => (stderr += data));
      await until('on prints an address', () => {
        assert.equal(on.exitCode, null, stderr);
        return stdout.includes('\n');
      });
      const [, address = ''] =
        /^pod\/web-\S+: (http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{32})\n$/.exec(stdout) ?? [];
      await shop.answers('web');
      await shop.request('web', '/in-the-browser');
      const browser = await Browser.launch(program ?? '');
      try {
        await browser.goto(address);
        await browser.until(`document.body.innerText.includes('/in-the-browser')`);
      } finally {
        await browser.close();
      }
      assert.equal(readFileSync(opened, 'utf8'), address);
      const ended = once(on, 'exit');
      on.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
      assert.match(stderr, /service\/web is restored\n/);
      await assert.rejects(fetch(address));
      assert.deepEqual(await shop.snapshot(...OBJECTS), original);
    });
  });
}

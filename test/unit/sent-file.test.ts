import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readSentFile } from '../../scripts/lib/commands/sent-file.ts';
import { UserError } from '../../scripts/lib/util/error.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
after(() => rmSync(folder, { recursive: true }));

function write(content: string | Buffer): string {
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return file;
}

describe('readSentFile', () => {
  const contents: [what: string, content: string | Buffer][] = [
    ['a Python script', 'def response(flow):\n    flow.response.headers["x"] = "é"\n'],
    ['no content', ''],
    ['text that a shell or Kubernetes would expand', '$(HOME) $HOME `id` \\ \' " $$\r\n\n\n'],
    ['every possible byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['5 MB of repeated text', 'flow '.repeat(1_000_000)],
  ];
  for (const [what, content] of contents) {
    it(`a file with ${what} arrives unchanged, as Base64`, () => {
      const sent = readSentFile('--scripts', write(content));
      assert.match(sent.content, /^[A-Za-z0-9+/]+=*$/);
      assert.deepEqual(gunzipSync(Buffer.from(sent.content, 'base64')), Buffer.from(content));
      assert.equal(sent.flag, '--scripts');
    });
  }

  const bytes = randomBytes(100_000);
  const isTooBig = (size: number) => {
    try {
      readSentFile('--server-replay', write(bytes.subarray(0, size)));
      return false;
    } catch {
      return true;
    }
  };

  it('the largest file that is accepted is the largest that fits into an environment variable', () => {
    let [fits, over] = [90_000, 100_000];
    while (over - fits > 1) {
      const middle = Math.floor((fits + over) / 2);
      if (isTooBig(middle)) over = middle;
      else fits = middle;
    }
    const { content } = readSentFile('--server-replay', write(bytes.subarray(0, fits)));
    const start = (value: string) =>
      spawnSync('true', [], { env: { MITTENS_FILE_10: `${'n'.repeat(60)} ${value}` } }).status;
    assert.equal(start(content), 0);
    assert.notEqual(start(content + 'x'.repeat(200)), 0);
  });

  const names: [path: string, name: string][] = [
    ['tidy.py', 'tidy.py'],
    ['-x.py', '-x.py'],
    ['a b\'"$(reboot)`\n.py', 'a_b____reboot___.py'],
    ['über.py', '_ber.py'],
    [`${'x'.repeat(100)}.mitm`, `${'x'.repeat(55)}.mitm`],
  ];
  for (const [path, name] of names) {
    it(`the name ${JSON.stringify(path.slice(0, 20))} is made harmless for the pod`, () => {
      writeFileSync(join(folder, path), '');
      assert.equal(readSentFile('--scripts', join(folder, path)).name, name);
    });
  }

  const refused: [what: string, path: () => string, message: RegExp, hint?: RegExp][] = [
    ['a file that does not exist', () => join(folder, 'nowhere'), /^\S+\/nowhere can't be read: ENOENT/],
    ['a folder', () => folder, /^\S+ can't be read: EISDIR/],
    ['a file name with a NUL', () => 'a\0b', /can't be read: /],
    [
      'a file that is too big',
      () => write(bytes),
      /^\S+\/file is too big for the pods: 130 KiB compressed, of at most 128 KiB$/,
      /send fewer flows/,
    ],
  ];
  for (const [what, path, message, hint] of refused) {
    it(`readSentFile refuses ${what} with a message of one line`, () =>
      assert.throws(
        () => readSentFile('--server-replay', path()),
        (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, message);
          assert.ok(!error.message.includes('\n'));
          if (hint) assert.match(String(error.hint), hint);
          return true;
        },
      ));
  }
});

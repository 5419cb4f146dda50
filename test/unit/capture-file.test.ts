import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CaptureFile } from '../../scripts/lib/capture/capture-file.ts';
import { Command } from '../../scripts/lib/util/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-recording-'));
after(() => rmSync(folder, { recursive: true }));

describe('a capture file', () => {
  it('a capture file is full at --count, and takes no more flows', async () => {
    const file = new CaptureFile(join(folder, 'count'), { count: 2 });
    await file.open();
    for (const flow of ['one', 'two', 'three']) await file.add(Buffer.from(flow));
    await file.close();
    assert.equal(file.ended.reason, 'count');
    assert.equal(readFileSync(file.name, 'utf8'), 'onetwo');
  });

  it('a capture file is full before it exceeds --max-size', async () => {
    const file = new CaptureFile(join(folder, 'size'), { size: 10 });
    await file.open();
    for (let flow = 0; flow < 5; flow++) await file.add(Buffer.from('1234'));
    await file.close();
    assert.equal(file.ended.reason, 'size');
    assert.deepEqual([file.flows, file.bytes, statSync(file.name).size], [2, 8, 8]);
  });

  it('only the owner of a capture file can read it', async () => {
    const file = new CaptureFile(join(folder, 'mode'));
    await file.open();
    await file.close();
    assert.equal(statSync(file.name).mode & 0o777, 0o600);
  });

  it('an error names a capture file that cannot be written', async () => {
    const file = new CaptureFile(join(folder, 'no', 'such'));
    await assert.rejects(file.open(), /no\/such: ENOENT/);
  });
});

describe('the command of a capture', () => {
  const ends: [string[], number, RegExp][] = [
    [['true'], 0, /^the command has ended$/],
    [['sh', '-c', 'exit 42'], 42, /^the command has ended$/],
    [['sh', '-c', 'kill -TERM $$'], 143, /^the command has ended$/],
    [['./nope'], 127, /^\.\/nope could not be started: .*ENOENT/],
    [[folder], 126, /could not be started: .*EACCES/],
  ];
  for (const [line, exitCode, reason] of ends) {
    it(`the command ${line.join(' ').replace(folder, 'a folder')} has the exit code ${exitCode}`, async () => {
      const command = new Command(line, { ownStdout: true });
      assert.equal(await command.exitCode, exitCode);
      assert.match(String(command.ended.reason), reason);
    });
  }
});

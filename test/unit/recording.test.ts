import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Recording } from '../../scripts/lib/capture/recording.ts';
import { Command } from '../../scripts/lib/util/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-recording-'));
after(() => rmSync(folder, { recursive: true }));

describe('a recording', () => {
  it('ends with so many flows, and takes no more', async () => {
    const recording = new Recording(join(folder, 'count'), { count: 2 });
    await recording.open();
    for (const flow of ['one', 'two', 'three']) await recording.add(Buffer.from(flow));
    await recording.close();
    assert.equal(recording.ended.reason, 'count');
    assert.equal(readFileSync(recording.name, 'utf8'), 'onetwo');
  });

  it('ends before it is longer than it may be', async () => {
    const recording = new Recording(join(folder, 'size'), { size: 10 });
    await recording.open();
    for (let flow = 0; flow < 5; flow++) await recording.add(Buffer.from('1234'));
    await recording.close();
    assert.equal(recording.ended.reason, 'size');
    assert.deepEqual([recording.flows, recording.bytes, statSync(recording.name).size], [2, 8, 8]);
  });

  it('can be read by its owner only', async () => {
    const recording = new Recording(join(folder, 'mode'));
    await recording.open();
    await recording.close();
    assert.equal(statSync(recording.name).mode & 0o777, 0o600);
  });

  it('says where it cannot be written', async () => {
    const recording = new Recording(join(folder, 'no', 'such'));
    await assert.rejects(recording.open(), /no\/such: ENOENT/);
  });
});

describe('a command', () => {
  const ends: [string[], number, RegExp][] = [
    [['true'], 0, /^the command has ended$/],
    [['sh', '-c', 'exit 42'], 42, /^the command has ended$/],
    [['sh', '-c', 'kill -TERM $$'], 143, /^the command has ended$/],
    [['./nope'], 127, /^\.\/nope could not be started: .*ENOENT/],
    [[folder], 126, /could not be started: .*EACCES/],
  ];
  for (const [line, exitCode, reason] of ends) {
    it(`ends with ${exitCode} for ${line.join(' ').replace(folder, 'a folder')}`, async () => {
      const command = new Command(line, { ownStdout: true });
      assert.equal(await command.exitCode, exitCode);
      assert.match(String(command.ended.reason), reason);
    });
  }
});

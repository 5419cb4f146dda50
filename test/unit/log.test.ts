import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, printable } from '../../scripts/lib/util/log.ts';
import { printTable } from '../../scripts/lib/util/table.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return {
    written,
    stream: {
      isTTY,
      columns: 80,
      write: (text: string) => written.push(text),
    } as unknown as NodeJS.WriteStream,
  };
}

describe('createLog', () => {
  it('without a terminal, progress is a line per change', () => {
    const { stream: to, written } = stream(false);
    const log = createLog(to, String);
    for (const text of ['1 of 2', '1 of 2', '2 of 2']) log.progress(text);
    log.say('done');
    assert.deepEqual(written, ['1 of 2\n', '2 of 2\n', 'done\n']);
  });

  it('on a terminal, progress replaces itself in one line that never wraps', () => {
    const { stream: to, written } = stream(true);
    const log = createLog(to, String);
    log.progress('x'.repeat(200));
    log.say('done');
    assert.deepEqual(written, ['x'.repeat(79), '\r\x1b[K', 'done\n']);
  });
});

describe('printable', () => {
  it('printable replaces control characters, and keeps line breaks', () => {
    assert.equal(printable('a\x1b]0;evil\x07\nb\x9bc\té'), 'a?]0;evil?\nb?c?é');
  });
});

describe('printTable', () => {
  it('printTable aligns columns as kubectl does, without trailing blanks', () => {
    const { stream: to, written } = stream(false);
    printTable(to, [
      ['NAME', 'AGE'],
      ['a-long-name', '1s'],
    ]);
    assert.equal(written.join(''), 'NAME          AGE\na-long-name   1s\n');
  });
});

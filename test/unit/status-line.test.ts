import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readStatusLine } from '../e2e/terminal.ts';

describe("mitmproxy's status line", () => {
  const keys = '  Flow:    L Load flows  n Create new\n  Proxy:   ? Help        q Quit [x]';
  const rows = {
    'in one row': '⇩  [0/0]   [i:~m POST][scripts:1]                         [*:7777]',
    'wrapped inside of brackets': '⇩  [0/0]   [i:~m             [*:7777]\nPOST][scripts:1]',
    'wrapped twice': '⇩  [0/0]   [i:~m     [*:7777]\nPOST][scripts:\n1]',
    'without an address': '⇩  [0/0]   [i:~m POST][scripts:1]',
  };
  for (const [how, status] of Object.entries(rows)) {
    it(`is read as one line: ${how}`, () => {
      assert.equal(readStatusLine(`Flows\n\n\n${status}\n${keys}\n`), '⇩[0/0][i:~mPOST][scripts:1]');
    });
  }

  it('is empty on another screen', () => assert.equal(readStatusLine('$ on web\nexit code 1\n'), ''));
});

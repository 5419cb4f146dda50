import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/flows.ts', import.meta.url));
const FLOWS = readFileSync(new URL('../flows/11.0.mitm', import.meta.url));

describe('a command whose stdout is closed, as by `| head -1`', () => {
  it('ends at once and without a word, with the status of a command that SIGPIPE ends', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, '-', '-o', 'jsonl']);
    // It ends before it has read all of this.
    child.stdin.on('error', () => undefined);
    child.stdin.write(Buffer.concat(Array.from({ length: 300 }, () => FLOWS)));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    assert.deepEqual(await once(child, 'close'), [141, null]);
    assert.equal(said, '');
  });
});

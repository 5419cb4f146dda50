import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { python } from '../flows/python.ts';
import { EXCHANGES } from './wire-exchanges.ts';
import { beginning, connection, describeFlow, START, writeFrames } from './wire-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-wire-'));
after(() => rmSync(folder, { recursive: true }));

/** A file of every exchange, one after another. */
const WIRE = writeFrames([
  beginning(),
  ...EXCHANGES.flatMap(({ steps }, index) => connection(steps, index + 1, index * 100)),
]);
const EXPECTED = EXCHANGES.flatMap(({ flows }) => flows);

function save(name: string, bytes: Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

async function run(...args: string[]): Promise<{ failed: boolean; stdout: string; stderr: string }> {
  const [node = '', ...command] = commandLine('flows', args);
  return await new Promise((resolve) =>
    execFile(node, command, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, stdout, stderr }),
    ),
  );
}

async function flows(...args: string[]): Promise<string> {
  const { failed, stdout, stderr } = await run(...args);
  assert.ok(!failed, stderr);
  return stdout;
}

async function read(file: string, onWarning: (message: string) => void = assert.fail): Promise<string[]> {
  const read: string[] = [];
  for await (const { flow } of readFlows(file, onWarning)) read.push(describeFlow(flow));
  return read;
}

/** What the real mitmproxy has of a flow file, beside that each of its flows is written as it was read. */
const MITMPROXY = `
import io, json, sys
from mitmproxy.io import FlowReader, FlowWriter, tnetstring
out = []
with open(sys.argv[1], "rb") as file:
    states = []
    while file.peek(1):
        states.append(tnetstring.load(file))
    file.seek(0)
    for flow, state in zip(FlowReader(file).stream(), states, strict=True):
        copy = io.BytesIO()
        FlowWriter(copy).add(flow)
        copy.seek(0)
        same = tnetstring.load(copy) == state
        error = flow.error and flow.error.msg
        if flow.type == "tcp":
            out.append([same, "TCP", len(flow.messages), error])
        else:
            response = flow.response
            times = [flow.request.timestamp_start, flow.client_conn.timestamp_start, flow.server_conn.timestamp_start]
            said = [(m.from_client, m.is_text) for m in flow.websocket.messages] if flow.websocket else None
            out.append([same, flow.request.method, response and response.status_code, error, times, said, flow.request.url])
print(json.dumps(out))
`;

import { commandLine } from '../scripts.ts';

describe('flows of a wire file', () => {
  const file = save('all.wire', WIRE);

  it('are read, also when it is compressed', async () => {
    assert.deepEqual(await read(file), EXPECTED);
    assert.deepEqual(await read(save('all.wire.gz', gzipSync(WIRE))), EXPECTED);
  });

  it('are read up to where a compressed file is cut off', async () => {
    const whole = gzipSync(WIRE);
    const warnings: string[] = [];
    const cut = save('cut.gz', whole.subarray(0, whole.length - 3000));
    const flows = await read(cut, (message) => warnings.push(message));
    assert.ok(flows.length > 5);
    assert.match(
      warnings.join(),
      /^the last frame is incomplete: its last \d+ bytes, from byte \d+, are left out$/,
    );
  });

  it('are written in every format, filtered, sorted and redacted', async () => {
    const table = await flows(file, '--filter', '~m POST & ~c 201');
    assert.match(table, /POST +201 +[\d.]+ ms +0 B +\/yarn\n$/);
    for (const format of ['wide', 'summary', 'jsonl', 'har', 'curl', 'html'])
      assert.match(await flows(file, '-o', format, '--redact', '--sort=-latency'), /yarn/, format);
    const [first] = (await flows(file, '-o', 'jsonl', '--limit', '1')).split('\n');
    const { time, client, request, response } = JSON.parse(first ?? '');
    assert.deepEqual([time, client], [new Date(START * 1000 + 1).toISOString(), '10.0.0.7']);
    assert.deepEqual([request.url, response.body], ['http://wool.example/cats', { text: 'purr' }]);
  });

  it('are what the real mitmproxy opens, and would write', async () => {
    const saved = join(folder, 'all.mitm');
    await flows(file, '-w', saved);
    const seen = JSON.parse((await python(MITMPROXY, saved)).toString());
    assert.equal(seen.length, EXPECTED.length);
    for (const [index, [same, method, status, error, times]] of seen.entries()) {
      assert.ok(same, EXPECTED[index]);
      // It shows every method in capitals.
      assert.ok(EXPECTED[index]?.toUpperCase().startsWith(`${method} `), EXPECTED[index]);
      if (error) assert.ok(EXPECTED[index]?.includes(`! ${error}`), EXPECTED[index]);
      if (method !== 'TCP' && status) assert.ok(EXPECTED[index]?.includes(`| ${status}`), EXPECTED[index]);
      if (times) assert.ok(times.every((time: number) => time >= START && time < START + 100));
    }
    assert.deepEqual(await read(saved), EXPECTED);
  });

  it('come before the error, in one line, when the file is damaged', async () => {
    const damaged = save('damaged.wire', Buffer.concat([WIRE, Buffer.from('what is this')]));
    const { failed, stdout, stderr } = await run(damaged);
    assert.ok(failed);
    assert.equal(stdout.trim().split('\n').length, 1 + EXPECTED.length);
    assert.equal(
      stderr,
      `error: ${damaged} is not a wire file from byte ${WIRE.length} on: no frame begins here\n`,
    );
  });
});

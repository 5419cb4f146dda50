import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodeBody } from '../../scripts/lib/flow/body.ts';
import { type Flow, parseFlow } from '../../scripts/lib/flow/flow.ts';
import { parseFlows } from '../../scripts/lib/flow/flow-file.ts';
import { findHeader } from '../../scripts/lib/flow/headers.ts';
import type { Value } from '../../scripts/lib/flow/tnetstring.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { toJson } from '../../scripts/lib/formats/jsonl.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { python } from '../flows/python.ts';

const RECORDED = ['8.1', '11.0'].map(
  (version) => new URL(`../flows/${version}.mitm`, import.meta.url).pathname,
);
const folder = mkdtempSync(join(tmpdir(), 'mittens-flow-'));
after(() => rmSync(folder, { recursive: true }));

async function read(file: string): Promise<Flow[]> {
  const flows: Flow[] = [];
  for await (const { flow } of readFlows(file, () => assert.fail('truncated'))) flows.push(flow);
  return flows;
}

/** The parts of a flow that do not depend on the time and the ports of the recording. */
function lasting(flow: Flow): unknown {
  const text = JSON.stringify(toJson(flow), (key, value) =>
    ['id', 'time', 'latency', 'client'].includes(key) ? undefined : value,
  );
  return JSON.parse(
    text
      .replace(/"([Dd]ate|[Ss]ec-[Ww]eb[Ss]ocket-\w+)","[^"]*"/g, '"$1",""')
      .replaceAll('connection closed', ''),
  );
}

/** Writes a flow of every kind with mitmproxy's own writer. */
const KINDS = `
import sys
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow
w = FlowWriter(open(sys.argv[1], "wb"))
w.add(tflow.tflow(resp=True))
w.add(tflow.tflow(err=True))
w.add(tflow.twebsocketflow())
w.add(tflow.ttcpflow())
for name in ("tudpflow", "tdnsflow"):
    if hasattr(tflow, name):
        w.add(getattr(tflow, name)(**({"resp": True} if name == "tdnsflow" else {})))
w.fo.close()
`;

/** Prints the state of each flow that mitmproxy reads from a file. */
const SEEN = `
import sys, json, base64
from mitmproxy.io import FlowReader
for f in FlowReader(open(sys.argv[1], "rb")).stream():
    state = f.get_state()
    state.pop("version")
    print(json.dumps(state, sort_keys=True, default=lambda b: base64.b64encode(b).decode()))
`;

describe('parseFlow', () => {
  it('reads the same traffic from files of mitmproxy 8.1 and 11', async () => {
    const [old = [], recent = []] = await Promise.all(RECORDED.map(read));
    assert.equal(old.length, 16);
    assert.deepEqual(old.map(lasting), recent.map(lasting));
  });

  it('reads bodies, cookies, headers, errors and WebSocket messages', async () => {
    for (const file of RECORDED) {
      const flows = await read(file);
      const of = (method: string, path: string) => {
        const found = flows.find(({ request }) => request?.method === method && request.path === path);
        assert.ok(found, path);
        return found;
      };
      for (const coding of ['gzip', 'deflate', 'br']) {
        const { response } = of('GET', `/${coding}`);
        assert.ok(response);
        assert.match(decodeBody(response).toString(), /"name":"Fäustling"/);
      }
      const cookies = of('GET', '/cookies').response?.headers.filter(([name]) => name === 'set-cookie');
      assert.deepEqual(
        cookies?.map(([, value]) => value),
        ['a=1; Path=/; HttpOnly', 'b=2; Max-Age=60; Secure'],
      );
      assert.equal(findHeader(of('GET', '/latin').response?.headers ?? [], 'x-name'), 'Fäustling');
      assert.equal(of('GET', '/broken').response, undefined);
      assert.match(of('GET', '/broken').error?.message ?? '', /closed/);
      const { websocket } = of('GET', '/socket');
      assert.deepEqual(
        websocket?.messages.map(({ fromClient, text, content }) => [
          fromClient,
          text,
          content.toString('hex'),
        ]),
        [
          [true, true, '68656c6c6f'],
          [false, true, '68656c6c6f'],
          [true, false, '0001ff'],
          [false, false, '0001ff'],
        ],
      );
      assert.deepEqual([websocket?.closeCode, websocket?.closedByClient], [1000, true]);
      assert.equal(of('POST', '/upload').request?.content?.toString('hex'), '009f9296');
    }
  });

  it('keeps flows of every kind unchanged for mitmproxy when they are written again', async () => {
    const [kinds, copy] = [join(folder, 'kinds.mitm'), join(folder, 'copy.mitm')];
    await python(KINDS, kinds);
    const flows = await read(kinds);
    assert.ok(flows.length >= 4);
    const { request, response } = flows[0] ?? {};
    assert.deepEqual([request?.method, request?.path, response?.status], ['GET', '/path', 200]);
    assert.equal(flows[1]?.error?.message, 'error');
    assert.deepEqual(
      flows[3]?.messages.map(({ content }) => String(content)),
      ['hello', "it's me"],
    );
    const dns = flows.find(({ type }) => type === 'dns')?.dns;
    if (flows.length > 4) assert.equal(dns?.response?.answers[0]?.data.join('.'), '8.8.8.8');
    // mitmproxy before 11 does not read the version that we write.
    if (flows[0]?.state.get('version') !== (await readVersion())) return;
    writeFileSync(copy, Buffer.concat(flows.map(({ state }) => encode(state))));
    assert.equal(String(await python(SEEN, copy)), String(await python(SEEN, kinds)));
  });

  it('refuses a flow of a newer or missing version', () => {
    const flow = (version: Value) => encode(new Map([['version', version]]));
    for (const version of [22, -1])
      assert.throws(
        () => parseFlow(flow(version)),
        new RegExp(`version ${version} is unknown; known are 17 to 21`),
      );
    for (const version of ['21', null, 1.5, [], ['0', '11']])
      assert.throws(() => parseFlow(flow(version)), /version is missing/);
  });

  // mitmproxy before 0.18 wrote keys as bytes; up to 3.0 the version was a list.
  const old: [string, string | Buffer][] = [
    ['0.11.3', tnetDict('7:version,13:1:0#2:11#1:3#]', '2:id,1:x,', '8:response,0:~')],
    ['0.17', tnetDict('4:type,4:http,', '7:request,15:6:method,3:GET,}', '7:version,9:1:0#2:17#]')],
    ['0.18.2', tnetDict('4:type;4:http;', '7:version;13:1:0#2:18#1:2#]')],
    ['3.0.0', encode(new Map<string, Value>([['version', [3, 0, 0]]]))],
    ['4', encode(new Map<string, Value>([['version', 4]]))],
    ['16', encode(new Map<string, Value>([['version', 16]]))],
  ];
  for (const [version, bytes] of old) {
    it(`refuses a flow of version ${version} and says how to convert it`, async () => {
      const file = join(folder, 'old.mitm');
      writeFileSync(file, bytes);
      await assert.rejects(read(file), {
        name: 'Error',
        message: `${file}: flow at byte 0: mitmproxy 8.0 or earlier wrote it (flow format version ${version})`,
        hint: 'mitmproxy 8.1 and later can convert the file: mitmdump -n -r OLD.mitm -w NEW.mitm',
      });
    });
  }
});

/** A dictionary whose fields are tnetstrings already. */
function tnetDict(...fields: string[]): string {
  const data = fields.join('');
  return `${data.length}:${data}}`;
}

async function readVersion(): Promise<number> {
  return Number(await python('from mitmproxy import version; print(version.FLOW_FORMAT_VERSION)'));
}

describe('parseFlows', () => {
  const [file = ''] = RECORDED;

  it('reads a flow file in chunks of any length', async () => {
    const whole = await read(file);
    const bytes = Buffer.concat(whole.map(({ state }) => encode(state)));
    for (const length of [1, 7, 4096]) {
      const ids: string[] = [];
      for await (const { flow } of parseFlows(chunked(bytes, length), 'x', () => assert.fail('truncated')))
        ids.push(flow.id);
      assert.deepEqual(
        ids,
        whole.map(({ id }) => id),
      );
    }
  });

  it('reads all flows but the last of a truncated file, and reports how much is lost', async () => {
    const bytes = Buffer.concat((await read(file)).slice(0, 2).map(({ state }) => encode(state)));
    const first = encode((await read(file))[0]?.state ?? null).length;
    for (const cut of [first + 1, first + 4, first + 500, bytes.length - 1]) {
      const told: unknown[] = [];
      let count = 0;
      for await (const _ of parseFlows(chunked(bytes.subarray(0, cut), 64), 'x', (truncation) =>
        told.push(truncation),
      ))
        count++;
      assert.equal(count, 1);
      assert.deepEqual(told, [{ name: 'x', offset: first, bytes: cut - first }]);
    }
  });

  it('reports the byte at which a file is damaged', async () => {
    const bytes = Buffer.concat((await read(file)).map(({ state }) => encode(state)));
    const first = encode((await read(file))[0]?.state ?? null).length;
    bytes[first] = 0x78;
    await assert.rejects(
      async () => {
        for await (const _ of parseFlows(chunked(bytes, 100), 'x.mitm', () => undefined));
      },
      { message: `x.mitm is not a flow file at byte ${first}: a length prefix is missing` },
    );
  });
});

async function* chunked(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { python } from '../flows/python.ts';

const ADDON = fileURLToPath(new URL('../../templates/mittens.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mittens-addon-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs a script of the real mitmproxy's that has the addon as `mittens`, with its file in a folder of the tests'. */
async function withAddon(name: string, script: string): Promise<{ file: string; said: string }> {
  const file = join(folder, name);
  const head = `
import importlib.util, os, sys
from mitmproxy.test import taddons, tflow
spec = importlib.util.spec_from_file_location("addon", sys.argv[1])
mittens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mittens)
mittens.FLOWS = sys.argv[2]
def flow(path, body=b"", **more):
    flow = tflow.tflow(resp=True, **more)
    flow.request.path = path
    flow.response.content = body
    return flow
`;
  const said = (await python(head + script, ADDON, file)).toString();
  return { file, said };
}

async function flowsIn(file: string): Promise<Flow[]> {
  const flows: Flow[] = [];
  for await (const { flow } of readFlows(file, () => assert.fail('the last flow is cut'))) flows.push(flow);
  return flows;
}

const paths = (flows: Flow[]) => flows.map(({ request }) => request?.path);

describe('the flows on the disk of a pod', () => {
  it('are whole after a disk that was full in the middle of one', async () => {
    const { file, said } = await withAddon(
      'full.mitm',
      `
import resource
disk = mittens.FlowFile()
disk.add(flow("/before").get_state())
# The next flow is written in part.
resource.setrlimit(resource.RLIMIT_FSIZE, (disk.size + 100, resource.RLIM_INFINITY))
for n in range(3):
    disk.add(flow(f"/full/{n}").get_state())
half = os.path.getsize(mittens.FLOWS) == disk.size - len(disk.rest)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
disk.add(flow("/after").get_state())
print(half, disk.written, disk.dropped)
`,
    );
    assert.equal(said.trim(), 'True 3 2');
    assert.deepEqual(paths(await flowsIn(file)), ['/before', '/full/0', '/after']);
  });

  it('cost nothing but themselves where nothing can be written', async () => {
    const { said } = await withAddon(
      'nowhere.mitm',
      `
mittens.FLOWS = "/dev/full"
disk = mittens.FlowFile()
for n in range(5):
    disk.add(flow("/lost").get_state())
print(disk.written, disk.dropped)
`,
    );
    assert.equal(said.trim(), '1 4');
  });

  it('end before the file is longer than it may be', async () => {
    const { file, said } = await withAddon(
      'cap.mitm',
      `
mittens.FILE_BYTES = 10_000
disk = mittens.FlowFile()
for n in range(50):
    disk.add(flow(f"/{n}").get_state())
print(disk.dropped, os.path.getsize(mittens.FLOWS) <= 10_000)
`,
    );
    const flows = await flowsIn(file);
    assert.ok(flows.length > 1);
    assert.equal(said.trim(), `${50 - flows.length} True`);
  });

  it('are written once each, and cut in the file alone', async () => {
    const { file, said } = await withAddon(
      'cut.mitm',
      `
addon = mittens.Mittens()
with taddons.context(addon) as context:
    context.configure(addon, mittens_body_limit=10)
    wanted = flow("/wanted", b"x" * 100)
    addon.in_flight[wanted.id] = wanted
    addon.response(wanted)
    addon.error(wanted)
    socket = flow("/wanted/socket", ws=True)
    socket.websocket = tflow.twebsocketflow().websocket
    socket.websocket.messages[0].content = b"m" * 50
    addon.in_flight[socket.id] = socket
    addon.websocket_end(socket)
    print(len(wanted.response.content), len(socket.websocket.messages[0].content), repr(wanted.comment))
`,
    );
    const [http, socket, ...more] = await flowsIn(file);
    assert.deepEqual([http?.request?.path, socket?.request?.path, more], ['/wanted', '/wanted/socket', []]);
    assert.equal(http?.response?.content?.toString(), 'x'.repeat(10));
    assert.equal(http?.comment, 'mittens: cut to 10 bytes, the longest from 100');
    assert.equal(socket?.websocket?.messages[0]?.content.toString(), 'm'.repeat(10));
    assert.equal(said.trim(), "100 50 ''");
  });

  it('have what is still open when the pod ends, once', async () => {
    const { file } = await withAddon(
      'open.mitm',
      `
addon = mittens.Mittens()
with taddons.context(addon):
    streaming, asked = flow("/streaming"), tflow.tflow()
    for one in (streaming, asked):
        addon.in_flight[one.id] = one
    addon.write_open()
    addon.error(streaming)
    addon.error(asked)
`,
    );
    assert.deepEqual(paths(await flowsIn(file)), ['/streaming', '/path']);
  });
});

describe('the frames of HTTP/2', () => {
  it('pass in pieces of any size as they are, but for a GOAWAY without an error', async () => {
    const { said } = await withAddon(
      'frames.mitm',
      `
def frame(kind, payload, stream=1):
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + payload
data, settings = frame(0, b"d" * 300), frame(4, b"", 0)
failing = frame(7, bytes(4) + (2).to_bytes(4, "big") + b"why", 0)
whole = mittens.HTTP2_PREFACE + settings + data + mittens.GOAWAY + data + failing + frame(7, bytes(8) + b"bye", 0)
wanted = mittens.HTTP2_PREFACE + settings + data + data + failing
for size in (1, 7, 50, 10_000):
    frames = mittens.Frames(len(mittens.HTTP2_PREFACE))
    read = [frames.read(whole[at : at + size]) for at in range(0, len(whole), size)]
    print(b"".join(passed for passed, _ in read) == wanted, any(leaves for _, leaves in read), frames.rest)
`,
    );
    assert.equal(said, "True True b''\n".repeat(4));
  });
});

describe('what a client speaks', () => {
  it('is told by its first bytes, once there are enough', async () => {
    const { said } = await withAddon(
      'spoken.mitm',
      `
for data in (b"", b"G", b"GET /", b"GET / HTTP/1.1", b"GET / HTTP/1.1\\r\\n", b"M-SEARCH * HTTP/1.1\\n", b"GET /\\r\\n",
             b"get / HTTP/1.1\\r\\n", b"P", b"PRI * HTTP/2.0", mittens.HTTP2_PREFACE + b"x", b"PRINT\\r\\n",
             b"\\x16\\x03", b"\\x16\\x03\\x01", b"\\x16\\x04\\x01", b"\\x00\\x00"):
    print(mittens.spoken(data))
`,
    );
    assert.deepEqual(said.trim().split('\n'), [
      ...['None', 'None', 'None', 'None', 'http1', 'http1', 'other', 'other'],
      ...['None', 'None', 'http2', 'other', 'None', 'tls', 'other', 'other'],
    ]);
  });
});

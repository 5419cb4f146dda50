import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ArtifactService } from '../action/artifact-service.ts';
import { readZip } from '../action/zip.ts';

const UPLOAD = fileURLToPath(new URL('../action/upload.mjs', import.meta.url));
const ROUTE = 'twirp/github.actions.results.api.v1.ArtifactService';

interface Answer {
  status: number;
  /** Of a refusal. */
  code?: string;
  signed_upload_url?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'mittens-artifacts-'));
after(() => rmSync(folder, { recursive: true }));

const files = new Map([
  ['flows.mitm', randomBytes(20 * 1024 * 1024)],
  ['shop/orders ü.har', Buffer.from('{"log":{}}'.repeat(1000))],
  ['shop/empty', Buffer.alloc(0)],
]);
mkdirSync(join(folder, 'shop'));
for (const [path, content] of files) writeFileSync(join(folder, path), content);

describe('the artifact service', () => {
  let service: ArtifactService;
  beforeEach(async () => {
    service = await ArtifactService.start();
  });
  afterEach(async () => await service.stop());

  /** Uploads by GitHub's own client, in a process as a runner starts it. */
  async function upload(name: string, paths: Iterable<string>): Promise<string> {
    const args = [UPLOAD, name, folder, ...[...paths].map((path) => join(folder, path))];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, ...service.env },
    });
    return stdout;
  }

  /** Calls as the client would, but with these fields. */
  async function call(
    method: string,
    fields: object,
    token = service.env.ACTIONS_RUNTIME_TOKEN ?? '',
  ): Promise<Answer> {
    const { scp } = JSON.parse(String(Buffer.from(token.split('.')[1] ?? '', 'base64url')));
    const [, workflow_run_backend_id, workflow_job_run_backend_id] = scp.split(' ')[1].split(':');
    const ids = { workflow_run_backend_id, workflow_job_run_backend_id };
    const response = await fetch(`${service.env.ACTIONS_RESULTS_URL}${ROUTE}/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...ids, ...fields }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  const artifact = { name: 'flows', version: 7, mime_type: 'application/zip' };

  it('the artifact service of the tests receives files byte for byte, with their folders', {
    timeout: 60_000,
  }, async () => {
    const stdout = await upload('flows', files.keys());
    const [received, ...more] = service.artifacts;
    assert.ok(received);
    assert.equal(more.length, 0);
    assert.equal(received.name, 'flows');
    assert.deepEqual(readZip(received.zip), files);
    const days = (Date.parse(received.expiresAt ?? '') - Date.now()) / 86_400_000;
    assert.ok(days > 2.9 && days < 3.1, `${received.expiresAt} is not in three days`);
    const told = JSON.parse(/^uploaded: (.*)$/m.exec(stdout)?.[1] ?? '');
    const digest = createHash('sha256').update(received.zip).digest('hex');
    assert.deepEqual(told, { size: received.zip.length, digest, id: received.id });
  });

  it('a damaged artifact is noticed when it is read', { timeout: 60_000 }, async () => {
    await upload('flows', ['shop/orders ü.har']);
    const { zip } = service.artifacts[0] ?? assert.fail('nothing was received');
    const [path = ''] = readZip(zip).keys();
    const bent = Buffer.from(zip);
    const content = 30 + Buffer.byteLength(path) + 5;
    bent.writeUInt8(zip.readUInt8(content) ^ 0xff, content);
    assert.throws(() => readZip(bent));
    assert.throws(() => readZip(zip.subarray(0, -30)), /not a zip/);
  });

  it('the same artifact name is refused a second time, with the message of GitHub', {
    timeout: 60_000,
  }, async () => {
    await upload('flows', ['shop/empty']);
    await assert.rejects(upload('flows', ['shop/empty']), {
      stderr:
        'Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this name already exists on the workflow run\n',
    });
    await upload('flows of another', ['shop/empty']);
    assert.equal(service.artifacts.length, 2);
  });

  it('an artifact name that was never finalized stays in use', async () => {
    assert.equal((await call('CreateArtifact', artifact)).status, 200);
    assert.equal((await call('CreateArtifact', artifact)).code, 'already_exists');
  });

  it('a failure of the artifact service is an error of the client at once', { timeout: 60_000 }, async () => {
    service.failing = 403;
    await assert.rejects(upload('flows', ['shop/empty']), {
      stderr:
        'Failed to CreateArtifact: Received non-retryable error: Failed request: (403) Forbidden: the service refuses all calls\n',
    });
    assert.equal(service.artifacts.length, 0);
  });

  it('the artifact service of the tests refuses a foreign token', async () => {
    const other = await ArtifactService.start();
    const { ACTIONS_RUNTIME_TOKEN } = other.env;
    await other.stop();
    assert.equal((await call('CreateArtifact', artifact, ACTIONS_RUNTIME_TOKEN)).code, 'unauthenticated');
  });

  it('the artifact service of the tests refuses wrong fields', async () => {
    const wrong = [
      { name: 'shop/orders' },
      { name: '' },
      { version: 4 },
      { mime_type: 'text/plain' },
      { expires_at: '2001-01-01T00:00:00.000Z' },
      { expires_at: 3 },
    ];
    for (const fields of wrong) {
      const { code } = await call('CreateArtifact', { ...artifact, ...fields });
      assert.equal(code, 'invalid_argument', JSON.stringify(fields));
    }
    const { code } = await call('CreateArtifact', { ...artifact, workflow_run_backend_id: 'another' });
    assert.equal(code, 'permission_denied');
    assert.equal((await call('CreateArtifact', artifact)).status, 200);
  });

  it('an artifact is finalized only with the size and the hash of its upload', async () => {
    const { signed_upload_url: url = '' } = await call('CreateArtifact', artifact);
    const put = async (query: string, body: string) =>
      (await fetch(`${url}&${query}`, { method: 'PUT', body })).status;
    const list = (id: string) =>
      `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>${id}</Latest></BlockList>`;
    const hash = `sha256:${createHash('sha256').update('content').digest('hex')}`;
    const right = { name: 'flows', size: '7', hash };

    assert.equal((await call('FinalizeArtifact', { ...right, name: 'other' })).code, 'not_found');
    assert.equal(await put('comp=block&blockid=YQ%3D%3D', 'content'), 201);
    assert.equal(await put('comp=block&blockid=YQ', 'content'), 400, 'an id that is not base64');
    assert.equal(await put('comp=blocklist', list('Yg==')), 400, 'a block that is not there');
    assert.equal((await call('FinalizeArtifact', right)).code, 'failed_precondition');
    assert.equal(await put('comp=blocklist', list('YQ==')), 201);
    for (const wrong of [{ size: '8' }, { hash: `sha256:${'0'.repeat(64)}` }, { hash: undefined }])
      assert.equal((await call('FinalizeArtifact', { ...right, ...wrong })).code, 'invalid_argument');
    assert.equal(service.artifacts.length, 0);
    assert.equal((await call('FinalizeArtifact', right)).status, 200);
    assert.equal(String(service.artifacts[0]?.zip), 'content');
  });

  it('an upload without the signature of its URL is refused', async () => {
    const { signed_upload_url = '' } = await call('CreateArtifact', artifact);
    const url = new URL(signed_upload_url);
    url.searchParams.set('sig', 'other');
    const response = await fetch(`${url}&comp=block&blockid=YQ%3D%3D`, { method: 'PUT', body: 'content' });
    assert.equal(response.status, 403);
    assert.match(await response.text(), /<Code>AuthenticationFailed</);
  });
});

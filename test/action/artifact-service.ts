import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BlockBlob } from './block-blob.ts';
import { Refusal, storageRefusal, twirpRefusal } from './refusal.ts';

const TWIRP = '/twirp/github.actions.results.api.v1.ArtifactService/';

/** What GitHub sends for a name that is taken; the client puts "Failed request: (409) Conflict: " before it. */
const TAKEN = 'an artifact with this name already exists on the workflow run';

/** An artifact that was uploaded to its end. */
export interface UploadedArtifact {
  /** What the client returns as its id. */
  id: number;
  name: string;
  zip: Buffer;
  /** RFC 3339; undefined when the upload left it to the repository's setting. */
  expiresAt: string | undefined;
}

/** One that is created: its name is taken from then on, even when it is never finalized, as on GitHub. */
interface Upload {
  expiresAt: string | undefined;
  /** Path and signature of its blob's address. */
  path: string;
  signature: string;
  blob: BlockBlob;
}

type Fields = Record<string, unknown>;

/**
 * GitHub's artifact service and the storage behind it, as far as `uploadArtifact` of `@actions/artifact` 6 speaks with
 * them. What GitHub would refuse is refused; where its words are not known, in words of our own.
 */
export class ArtifactService {
  /**
   * Answers every call with this status instead. 403 ends an upload at once; after a 500 the client tries four times
   * more, over 24 to 35 seconds that nothing shortens.
   */
  failing: 403 | 500 | undefined;
  readonly artifacts: UploadedArtifact[] = [];
  readonly #uploads = new Map<string, Upload>();
  readonly #ids = { workflow_run_backend_id: randomUUID(), workflow_job_run_backend_id: randomUUID() };
  readonly #token = runtimeToken(Object.values(this.#ids));
  readonly #server: Server = createServer();

  /** Listens on a port of its own, on this machine only. */
  static async start(): Promise<ArtifactService> {
    const service = new ArtifactService();
    service.#server.on('request', async (request, response) => {
      const { status, type, body } = await service.#answer(request);
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  /** What a runner gives an action, as far as uploads go by it. */
  get env(): NodeJS.ProcessEnv {
    const { NO_PROXY, no_proxy } = process.env;
    return {
      ACTIONS_RESULTS_URL: `${this.#origin}/`,
      ACTIONS_RUNTIME_TOKEN: this.#token,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_RETENTION_DAYS: '90',
      // The storage's client would take even this machine's own address to a proxy.
      NO_PROXY: [NO_PROXY ?? no_proxy, '127.0.0.1'].filter(Boolean).join(),
    };
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; type: string; body: string }> {
    try {
      const body = await buffer(request);
      const url = new URL(request.url ?? '', this.#origin);
      if (url.pathname.startsWith('/twirp/'))
        return { status: 200, type: 'application/json', body: this.#call(request, url, body) };
      this.#store(request, url, body);
      return { status: 201, type: 'application/xml', body: '' };
    } catch (error) {
      if (error instanceof Refusal) return error;
      return twirpRefusal('internal', (error as Error).message);
    }
  }

  /** A twirp call: https://twitchtv.github.io/twirp/docs/spec_v7.html */
  #call({ method, headers }: IncomingMessage, { pathname }: URL, body: Buffer): string {
    if (this.failing === 403) throw twirpRefusal('permission_denied', 'the service refuses all calls');
    if (this.failing) throw twirpRefusal('internal', 'the service is out of order');
    const calls: Record<string, (fields: Fields) => object> = {
      [`${TWIRP}CreateArtifact`]: (fields) => this.#create(fields),
      [`${TWIRP}FinalizeArtifact`]: (fields) => this.#finalize(fields),
    };
    const call = calls[pathname];
    if (!call || method !== 'POST' || !headers['content-type']?.startsWith('application/json'))
      throw twirpRefusal('bad_route', `no handler for ${method} ${pathname}`);
    if (headers.authorization !== `Bearer ${this.#token}`)
      throw twirpRefusal('unauthenticated', 'the token is not the one of this job');
    const fields = parse(body);
    for (const [key, id] of Object.entries(this.#ids))
      if (fields[key] !== id) throw twirpRefusal('permission_denied', `${key} is not the token's`);
    return JSON.stringify(call(fields));
  }

  #create(fields: Fields): object {
    const { version, mime_type } = fields;
    const name = parseName(fields);
    const expiresAt = parseExpiry(fields);
    if (version !== 7) throw twirpRefusal('invalid_argument', 'version is not 7');
    if (mime_type !== 'application/zip') throw twirpRefusal('invalid_argument', "mime_type is not a zip's");
    if (this.#uploads.has(name)) throw twirpRefusal('already_exists', TAKEN);
    const path = `/actions-results/${randomUUID()}/artifacts/${randomUUID()}.zip`;
    const signature = randomBytes(32).toString('base64');
    this.#uploads.set(name, { expiresAt, path, signature, blob: new BlockBlob() });
    const query = new URLSearchParams({ sp: 'cw', sr: 'b', sig: signature });
    return { ok: true, signed_upload_url: `${this.#origin}${path}?${query}` };
  }

  #finalize(fields: Fields): object {
    const name = parseName(fields);
    const upload = this.#uploads.get(name);
    if (!upload) throw twirpRefusal('not_found', 'there is no artifact of this name');
    if (this.artifacts.some((artifact) => artifact.name === name))
      throw twirpRefusal('failed_precondition', 'it is finalized already');
    const zip = upload.blob.content;
    if (!zip) throw twirpRefusal('failed_precondition', 'its blob is not there');
    // 64-bit numbers are strings in protobuf's JSON.
    if (fields.size !== String(zip.length)) throw twirpRefusal('invalid_argument', "size is not the blob's");
    if (fields.hash !== `sha256:${createHash('sha256').update(zip).digest('hex')}`)
      throw twirpRefusal('invalid_argument', "hash is not the blob's");
    const id = 4_000_000_001 + this.artifacts.length;
    this.artifacts.push({ id, name, zip, expiresAt: upload.expiresAt });
    return { ok: true, artifact_id: String(id) };
  }

  /** A request to the storage, by an address that CreateArtifact gave. */
  #store({ method, headers }: IncomingMessage, { pathname, searchParams }: URL, body: Buffer): void {
    if (this.failing === 403)
      throw storageRefusal(403, 'AuthorizationFailure', 'the storage refuses all calls');
    if (this.failing) throw storageRefusal(500, 'InternalError', 'the storage is out of order');
    const upload = [...this.#uploads.values()].find(({ path }) => path === pathname);
    if (!upload || searchParams.get('sig') !== upload.signature)
      throw storageRefusal(403, 'AuthenticationFailed', 'the signature is not valid for this address');
    if (method !== 'PUT') throw storageRefusal(405, 'UnsupportedHttpVerb', 'only PUT is known');
    upload.blob.put(searchParams, headers, body);
  }
}

/** A token in the form of a JWT, whose scopes tell the run and the job as GitHub's does. */
function runtimeToken(ids: string[]): string {
  const scopes = [
    'Actions.GenericRead:00000000-0000-0000-0000-000000000000',
    `Actions.Results:${ids.join(':')}`,
  ];
  const parts = [{ typ: 'JWT', alg: 'RS256' }, { scp: scopes.join(' ') }].map((part) => JSON.stringify(part));
  return [...parts.map((part) => Buffer.from(part)), randomBytes(256)]
    .map((bytes) => bytes.toString('base64url'))
    .join('.');
}

function parse(body: Buffer): Fields {
  try {
    const fields = JSON.parse(String(body));
    if (typeof fields === 'object' && fields && !Array.isArray(fields)) return fields;
  } catch {
    // Refused as what is no object is.
  }
  throw twirpRefusal('malformed', 'the body is not a JSON object');
}

function parseName({ name }: Fields): string {
  if (typeof name === 'string' && /^[^":<>|*?\r\n\\/]+$/.test(name)) return name;
  throw twirpRefusal('invalid_argument', 'name is empty, or has a character that file names may not have');
}

function parseExpiry({ expires_at }: Fields): string | undefined {
  if (expires_at === undefined) return undefined;
  const isTime = typeof expires_at === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(expires_at);
  if (isTime && Date.parse(expires_at) > Date.now()) return expires_at;
  throw twirpRefusal('invalid_argument', 'expires_at is not a time to come');
}

import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type Flow, toFlow } from '../../scripts/lib/flow/flow.ts';
import type { Dict, Value } from '../../scripts/lib/flow/tnetstring.ts';
import { type Http, http, tcp } from './report-flows.ts';

/** Flows with planted credentials in many places and spellings. */
export interface Planted {
  flows: Flow[];
  /** Each secret as it is written in the flows, and where it is. */
  secrets: Map<string, string>;
}

const random = (length: number, letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789') =>
  [...randomBytes(length)].map((byte) => letters[byte % letters.length]).join('');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const jwt = () => `eyJ${random(20)}.eyJ${random(40)}.${random(43)}`;

/** Plants at least 60 credentials. */
export function plant(): Planted {
  const secrets = new Map<string, string>();
  const flows: Flow[] = [];
  /** Records a credential. `spellings` are other ways in which it is written in the flows. */
  const secret = (where: string, value = random(24), ...spellings: string[]) => {
    for (const [index, spelling] of [value, ...spellings].entries())
      secrets.set(spelling, `${where}, ${index}`);
    return value;
  };
  const add = (fields: Http) => flows.push(http({ method: 'POST', ...fields }));
  const type = (type: string) => ({ 'content-type': type });
  const json = type('application/json');
  const form = type('application/x-www-form-urlencoded');

  // Headers.
  const password = random(16);
  const basic = secret('basic', base64(`user:${password}`), password);
  add({ requestHeaders: { authorization: `Basic ${basic}` } });
  add({ requestHeaders: { authorization: `Bearer ${secret('bearer')}` } });
  add({ requestHeaders: { Authorization: secret('authorization without a scheme') } });
  add({ requestHeaders: { 'proxy-authorization': `Basic ${secret('proxy', base64(`u:${random(12)}`))}` } });
  add({ requestHeaders: { authorization: `Digest username="u", response="${secret('digest')}"` } });
  for (const name of [
    'X-Api-Key',
    'x-auth-token',
    'X-CSRF-Token',
    'x-amz-security-token',
    'X-Vault-Token',
    'apikey',
  ])
    add({ requestHeaders: { [name]: secret(name) } });
  add({
    requestHeaders: { cookie: `theme=dark; id=${secret('cookie')}; other="${secret('quoted cookie')}"` },
  });
  add({ responseHeaders: { 'set-cookie': `id=${secret('set-cookie')}; Path=/; HttpOnly` } });
  add({ responseHeaders: { location: `/next?access_token=${secret('location')}&page=2` } });
  add({ requestHeaders: { referer: `https://u:${secret('referer userinfo')}@shop.example/` } });
  add({ requestHeaders: { 'x-custom': `see ${secret('JWT in some header', jwt())}` } });

  // Paths.
  add({ path: `/a?api_key=${secret('query')}&x=1` });
  add({ path: `/a?x=1&Password=${secret('query of other case')}#b` });
  const odd = `p&${random(10)}/${random(6)}ä`;
  secret('percent', odd, encodeURIComponent(odd));
  add({ path: `/a?client_secret=${encodeURIComponent(odd)}` });
  add({ path: `/reset/${secret('JWT in a path', jwt())}` });
  add({ path: `/a?client%5Fsecret=${secret('a name percent-encoded')}` });

  // Bodies by name.
  add({ requestHeaders: form, requestBody: `user=me&password=${secret('form')}&remember=1` });
  add({ requestHeaders: json, requestBody: JSON.stringify({ user: 'me', password: secret('JSON') }) });
  add({ requestHeaders: json, requestBody: JSON.stringify({ a: [{ b: { apiKey: secret('deep JSON') } }] }) });
  add({
    requestHeaders: json,
    requestBody: JSON.stringify({ credentials: { any: secret('below a name') } }),
  });
  add({ requestHeaders: json, requestBody: JSON.stringify({ tokens: [secret('list'), secret('list')] }) });
  add({
    requestHeaders: json,
    requestBody: JSON.stringify({ pin: Number(secret('number', `7${random(9, '123456789')}`)) }),
  });
  const quoted = `a"b\\${random(12)}\n/`;
  secret('escaped JSON', quoted, JSON.stringify(quoted).slice(1, -1));
  add({ requestHeaders: json, requestBody: JSON.stringify({ secret: quoted, again: 'x' }) });
  add({
    requestHeaders: json,
    requestBody: JSON.stringify({ inner: JSON.stringify({ token: secret('JSON in JSON') }) }),
  });
  add({ requestHeaders: json, requestBody: `{"user": "me", "password": "${secret('cut off JSON')}` });
  add({
    responseHeaders: type('application/x-ndjson'),
    responseBody: `{"a":1}\n{"refresh_token":"${secret('JSON lines')}"}\n`,
  });
  add({
    requestHeaders: json,
    requestBody: JSON.stringify({ query: 'mutation', variables: { newPassword: secret('GraphQL') } }),
  });
  add({
    requestHeaders: type('text/xml'),
    requestBody: `<l:login a="1"><l:Password>${secret('XML')}</l:Password></l:login>`,
  });
  add({
    requestHeaders: type('text/xml'),
    requestBody: `<login user="me" password="${secret('XML attribute')}"/>`,
  });
  const part = `--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n${secret('multipart')}\r\n--b--\r\n`;
  add({ requestHeaders: type('multipart/form-data; boundary=b'), requestBody: part });
  add({ responseHeaders: type('text/yaml'), responseBody: `db:\n  password: ${secret('YAML')}\n` });
  add({
    responseHeaders: type('text/plain'),
    responseBody: `Server=db;User Id=sa;Password=${secret('connection string')};`,
  });
  add({ responseBody: `postgres://app:${secret('database URL')}@db:5432/shop` });

  // Encoded bodies.
  for (const [name, encode] of Object.entries({
    gzip: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
  }))
    add({
      responseHeaders: { ...json, 'content-encoding': name },
      responseBody: encode(JSON.stringify({ token: secret(name) })),
    });
  add({
    responseHeaders: { ...json, 'content-encoding': 'gzip' },
    responseBody: `{"token":"${secret('no gzip')}"}`,
  });
  add({
    responseHeaders: { ...json, 'content-encoding': 'rot13' },
    responseBody: `{"token":"${secret('unknown encoding')}"}`,
  });

  // By shape, anywhere.
  const shapes = {
    aws: `AKIA${random(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
    github: `ghp_${random(36)}`,
    'github fine': `github_pat_${random(22)}_${random(59)}`,
    gitlab: `glpat-${random(20)}`,
    slack: `xoxb-${random(12, '0123456789')}-${random(24)}`,
    google: `AIza${random(35)}`,
    stripe: `sk_live_${random(24)}`,
    npm: `npm_${random(36)}`,
    jwt: jwt(),
    sendgrid: `SG.${random(22)}.${random(43)}`,
  };
  for (const [name, shape] of Object.entries(shapes))
    add({ responseBody: `so it is ${secret(name, shape)}, he said` });
  const [one, two] = [secret('PEM', random(64)), secret('PEM', random(64))];
  add({ responseBody: `-----BEGIN RSA PRIVATE KEY-----\n${one}\n${two}\n-----END RSA PRIVATE KEY-----\n` });
  const pem = secret('PEM in JSON', random(64));
  add({
    responseBody: JSON.stringify({ file: `-----BEGIN PRIVATE KEY-----\n${pem}\n-----END PRIVATE KEY-----` }),
  });

  // Beside requests.
  add({ websocket: [{ fromClient: true, content: `{"token":"${secret('WebSocket')}"}`, text: true }] });
  flows.push(tcp(1, [[true, Buffer.from(`GET / HTTP/1.1\r\nX-Api-Key: ${secret('TCP')}\r\n\r\n`)]]));
  add({ status: undefined, error: `no route to https://u:${secret('error')}@db/` });
  add({ comment: `tried with ${secret('comment', `ghp_${random(36)}`)}` });
  const seen = secret('found by name elsewhere in the flow');
  add({
    requestHeaders: { cookie: `id=${seen}` },
    responseBody: `Hello, your number is ${seen}.`,
    comment: seen,
  });
  const changed = http({ requestHeaders: { authorization: `Bearer ${secret('backup')}` } });
  const plain = http({ path: '/changed' });
  flows.push(changedTo(plain, { backup: changed.state }));
  const trailers: Value = [[Buffer.from('X-Auth-Token'), Buffer.from(secret('trailer'))]];
  const { state } = http({ path: '/trailers' });
  flows.push(
    changedTo(http({}), { request: new Map([...(state.get('request') as Dict), ['trailers', trailers]]) }),
  );
  flows.push(changedTo(http({}), { metadata: new Map([['token', secret('metadata')]]) }));
  return { flows, secrets };
}

function changedTo(flow: Flow, fields: Record<string, Value>): Flow {
  return toFlow(new Map([...flow.state, ...Object.entries(fields)]));
}

// A gRPC client: ask-grpc.js URL unary|large|server|client|bidi|error|failing|many, with http or https in the URL.
import { randomUUID } from 'node:crypto';
import {
  type Client,
  type ClientWritableStream,
  credentials,
  type Metadata,
  makeClientConstructor,
  Metadata as NewMetadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { Heard, main, type Outcome, patiently, tlsOfClient } from './ask.ts';
import { CALLS, COUNT } from './grpc-calls.ts';

const LARGE_BYTES = 1024 * 1024;
const MANY = 20;

type Call = keyof typeof CALLS;

interface Ended {
  status: number;
  details: string;
  trailers: Record<string, unknown>;
}

const PeerClient = makeClientConstructor(CALLS, 'Peer');

function connect(url: URL): Client {
  const { ca, key, cert } = tlsOfClient();
  const secure = () => credentials.createSsl(ca ?? null, key ?? null, cert ?? null);
  return new PeerClient(url.host, url.protocol === 'https:' ? secure() : credentials.createInsecure());
}

const endOf = ({ code, details, metadata }: StatusObject | ServiceError): Ended => ({
  status: code,
  details,
  trailers: (metadata as Metadata | undefined)?.toJSON() ?? {},
});

/** One message there, one back. */
async function unary(
  client: Client,
  call: Call,
  message: Buffer,
): Promise<{ answer: Buffer | undefined } & Ended> {
  const { path, requestSerialize, responseDeserialize } = CALLS[call];
  let end: Ended | undefined;
  const answered = new Promise<Buffer | undefined>((resolve) => {
    client
      .makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, answer) => {
        if (error) end ??= endOf(error);
        setImmediate(() => resolve(answer));
      })
      .on('status', (status) => {
        end = endOf(status);
      });
  });
  const answer = await patiently(answered, `${call} was not answered`);
  if (!end) throw new Error(`${call} ended without a status`);
  return { answer, ...end };
}

const plain = (heard: Heard): Outcome => ({ messages: heard.messages, at: heard.at });

async function askOnce(client: Client, call: Call, message: string): Promise<Outcome> {
  const heard = new Heard();
  const { answer, ...end } = await unary(client, call, Buffer.from(message));
  if (answer) heard.add(answer.toString());
  return { ...plain(heard), ...end };
}

async function askLarge(client: Client): Promise<Outcome> {
  const { answer, ...end } = await unary(client, 'echo', Buffer.alloc(LARGE_BYTES, 'x'));
  return { messages: [], at: [], bytes: answer?.length, ...end };
}

async function askMany(client: Client): Promise<Outcome> {
  const heard = new Heard();
  const one = async (n: number) =>
    heard.add(String((await unary(client, 'echo', Buffer.from(`${n}`))).answer));
  await Promise.all(Array.from({ length: MANY }, (_, n) => one(n)));
  return plain(heard);
}

/** The next message is sent only when the one before was heard: one that is held back on the way ends it. */
async function askServerStream(client: Client, prefix: string): Promise<Outcome> {
  const heard = new Heard();
  const id = `${prefix}-${randomUUID()}`;
  const { path, requestSerialize, responseDeserialize } = CALLS.count;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, Buffer.from(id));
  const ended = new Promise<Ended>((resolve) => call.on('status', (status) => resolve(endOf(status))));
  call.on('error', () => undefined);
  call.on('data', (message: Buffer) => heard.add(message.toString().replace(id, prefix)));
  for (let count = 1; count <= COUNT; count++) {
    await heard.count(count);
    if (count < COUNT) await unary(client, 'next', Buffer.from(id));
  }
  return { ...plain(heard), ...(await patiently(ended, 'the stream did not end')) };
}

/** The next message is sent only when the server says that it has the one before. */
async function askClientStream(client: Client): Promise<Outcome> {
  const heard = new Heard();
  const metadata = new NewMetadata();
  const id = randomUUID();
  metadata.set('x-id', id);
  const { path, requestSerialize, responseDeserialize } = CALLS.collect;
  let call: ClientWritableStream<Buffer> | undefined;
  const answered = new Promise<Buffer | undefined>((resolve, reject) => {
    call = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
      (error, answer) => (error ? reject(error) : resolve(answer as Buffer)),
    );
  });
  const ended = new Promise<Ended>((resolve) => call?.on('status', (status) => resolve(endOf(status))));
  for (let count = 1; count <= COUNT; count++) {
    call?.write(Buffer.from(`${count}`));
    await patiently(isTaken(client, id, count), `message ${count} did not arrive`);
  }
  call?.end();
  heard.add(String(await patiently(answered, 'there was no answer')));
  return { ...plain(heard), ...(await patiently(ended, 'there was no status')) };
}

async function isTaken(client: Client, id: string, count: number): Promise<void> {
  while (Number((await unary(client, 'taken', Buffer.from(id))).answer) < count);
}

/** Each message is sent only when the one before was answered. */
async function askBidi(client: Client): Promise<Outcome> {
  const heard = new Heard();
  const { path, requestSerialize, responseDeserialize } = CALLS.talk;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const ended = new Promise<Ended>((resolve) => call.on('status', (status) => resolve(endOf(status))));
  call.on('error', () => undefined);
  call.on('data', (message: Buffer) => heard.add(message.toString()));
  for (let count = 1; count <= COUNT; count++) {
    call.write(Buffer.from(`${count}`));
    await heard.count(count);
  }
  call.end();
  return { ...plain(heard), ...(await patiently(ended, 'the stream did not end')) };
}

const MODES: Record<string, (client: Client) => Promise<Outcome>> = {
  unary: (client) => askOnce(client, 'echo', 'hello'),
  large: askLarge,
  many: askMany,
  server: (client) => askServerStream(client, 'counting'),
  client: askClientStream,
  bidi: askBidi,
  error: (client) => askOnce(client, 'fail', 'hello'),
  failing: (client) => askServerStream(client, 'failing'),
};

await main(async (url, mode) => {
  const ask = MODES[mode];
  if (!ask) throw new Error(`${mode} is none of ${Object.keys(MODES).join(', ')}`);
  const client = connect(url);
  try {
    return await ask(client);
  } finally {
    client.close();
  }
});

// A gRPC server: PORT in plaintext (h2c), TLS_PORT in TLS.
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { CALLS, COUNT } from './grpc-calls.ts';
import { sayReady, serving } from './serve.ts';

type Unary = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

/** What the calls that go on are known by, as each client chooses it. */
const counting = new Map<string, () => void>();
const taken = new Map<string, number>();

function trailers(name: string): Metadata {
  const metadata = new Metadata();
  metadata.set('x-trailer', name);
  return metadata;
}

const echo: Unary = ({ request }, answer) => answer(null, request, trailers('echo'));

const fail: Unary = (_, answer) =>
  answer({ code: status.INVALID_ARGUMENT, details: 'not like this', metadata: trailers('fail') });

function count(call: ServerWritableStream<Buffer, Buffer>): void {
  const id = call.request.toString();
  let sent = 0;
  const send = () => {
    call.write(Buffer.from(`${id} ${++sent}`));
    if (sent < COUNT) return;
    counting.delete(id);
    if (!id.startsWith('failing')) call.end(trailers('count'));
    else
      call.emit('error', {
        code: status.RESOURCE_EXHAUSTED,
        details: 'no more',
        metadata: trailers('count'),
      });
  };
  counting.set(id, send);
  send();
}

const next: Unary = ({ request }, answer) => {
  counting.get(request.toString())?.();
  answer(null, request);
};

function collect(call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
  const [id = ''] = call.metadata.get('x-id').map(String);
  const messages: Buffer[] = [];
  taken.set(id, 0);
  call.on('data', (message: Buffer) => {
    messages.push(message);
    taken.set(id, messages.length);
  });
  call.on('end', () => {
    taken.delete(id);
    answer(null, Buffer.from(messages.join(',')), trailers('collect'));
  });
}

const howMany: Unary = ({ request }, answer) =>
  answer(null, Buffer.from(String(taken.get(request.toString()) ?? 0)));

function talk(call: ServerDuplexStream<Buffer, Buffer>): void {
  call.on('data', (message: Buffer) => call.write(Buffer.from(`re: ${message}`)));
  call.on('end', () => call.end(trailers('talk')));
}

const server = new Server();
server.addService(CALLS, { echo, fail, count, next, collect, taken: howMany, talk });

const { host, port, tlsPort, tls } = serving();

async function listen(port: number, credentials: ServerCredentials): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`${host ?? '0.0.0.0'}:${port}`, credentials, (error) =>
      error ? reject(error) : resolve(),
    ),
  );
}

if (port) await listen(port, ServerCredentials.createInsecure());
if (tlsPort && tls) {
  const pair = { private_key: tls.key, cert_chain: tls.cert };
  await listen(tlsPort, ServerCredentials.createSsl(tls.ca ?? null, [pair], tls.ca !== undefined));
}
sayReady();
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));

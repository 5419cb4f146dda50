// A server of lines, on PORT, which waits for the client to speak, and on GREETING_PORT, where it speaks first, as
// mail servers and some databases do. It answers each line, and ends when the client does.
import { createServer, type Socket } from 'node:net';
import { sayReady } from './serve.ts';

const GREETING = '220 mittens at your service\r\n';

function talk(socket: Socket): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    const lines = (rest + text).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) socket.write(`250 ${line}\r\n`);
  });
  socket.on('end', () => socket.end('221 bye\r\n'));
  socket.on('error', () => undefined);
}

async function listen(port: string, serve: (socket: Socket) => void): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen(Number(port), HOST, resolve));
}

const { HOST, PORT, GREETING_PORT } = process.env;
if (PORT) await listen(PORT, talk);
if (GREETING_PORT)
  await listen(GREETING_PORT, (socket) => {
    socket.write(GREETING);
    talk(socket);
  });
sayReady();
process.on('SIGTERM', () => process.exit(0));

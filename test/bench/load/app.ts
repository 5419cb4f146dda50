// An app that answers requests of some hundred bytes as fast as node can: bytes in, bytes out. Prints its port.
import { createServer } from 'node:net';
import { ANSWER, REQUEST } from './messages.ts';

const server = createServer((client) => {
  let received = 0;
  client.setNoDelay();
  client.on('data', ({ length }) => {
    received += length;
    for (; received >= REQUEST.length; received -= REQUEST.length) client.write(ANSWER);
  });
  client.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});

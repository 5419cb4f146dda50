// Runs in a pod's network namespace. It connects clients of a Unix socket to a port of the pod's localhost.
// A client first sends a line with the port. The answer is `+` for connected, `-` for refused.
import { connect, createServer } from 'node:net';

const server = createServer({ allowHalfOpen: true }, (outside) => {
  outside.on('error', () => outside.destroy());
  let line = '';
  outside.on('readable', function read() {
    for (;;) {
      const byte = outside.read(1);
      if (!byte) return;
      if (byte[0] === 10) break;
      line += byte;
    }
    outside.off('readable', read);
    join(outside, Number(line));
  });
});

function join(outside, port) {
  const inside = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let connected = false;
  inside.once('connect', () => {
    connected = true;
    outside.write('+');
    inside.pipe(outside);
    outside.pipe(inside);
  });
  inside.on('error', () => (connected ? outside.destroy() : outside.end('-')));
  outside.on('close', () => inside.destroy());
}

server.listen(process.argv[2], () => console.log('ready'));

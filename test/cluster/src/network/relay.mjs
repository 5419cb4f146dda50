// Runs in a pod's network namespace: connects whoever comes by the Unix socket to a port of the pod's localhost.
// A connection begins with a line, the port; the answer is `+` when it is connected, `-` when it is refused.
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

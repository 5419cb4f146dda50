// Asks as fast as it is answered: load.ts PORT CONNECTIONS SECONDS [new]. With `new`, each request has a connection of
// its own. Prints {answered, failed, p50, p99} as JSON, latencies in µs.
import { connect, type Socket } from 'node:net';
import { ANSWER, REQUEST } from './messages.ts';

const [port, connections, seconds] = process.argv.slice(2, 5).map(Number);
const isNew = process.argv[5] === 'new';
const latencies: number[] = [];
let failed = 0;
let over = false;

function open(): void {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1', noDelay: true });
  let asked = 0;
  let received = 0;
  let answered = false;
  const ask = () => {
    asked = performance.now();
    received = 0;
    socket.write(REQUEST);
  };
  socket.on('connect', ask);
  socket.on('data', ({ length }) => {
    received += length;
    if (received < ANSWER.length) return;
    latencies.push(performance.now() - asked);
    answered = true;
    if (over || isNew) next(socket);
    else ask();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!answered && !over) failed++;
    if (!answered || !isNew) again();
  });
}

function next(socket: Socket): void {
  // A reset leaves no connection in TIME_WAIT, of which a port's number is not free for a minute.
  socket.resetAndDestroy();
  if (isNew) again();
}

function again(): void {
  if (!over) setImmediate(open);
}

for (let number = 0; number < (connections ?? 0); number++) open();
setTimeout(
  () => {
    over = true;
    latencies.sort((a, b) => a - b);
    const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
    process.stdout.write(
      `${JSON.stringify({ answered: latencies.length, failed, p50: at(0.5), p99: at(0.99) })}\n`,
      () => process.exit(),
    );
  },
  (seconds ?? 0) * 1000,
);

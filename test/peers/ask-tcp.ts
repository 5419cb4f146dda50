// A client of lines: ask-tcp.js tcp://HOST:PORT server-first|client-first|late
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Heard, main, patiently } from './ask.ts';

const COUNT = 3;
const LATE_MS = 1500;

/** Each line is sent only when the one before was answered; late, the first one after a while of silence. */
await main(async (url, mode) => {
  const heard = new Heard();
  const socket = connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true });
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    const lines = (rest + text).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) heard.add(line);
  });
  const ended = new Promise((resolve, reject) => socket.on('end', resolve).on('error', reject));
  const greetings = mode === 'server-first' ? 1 : 0;
  await heard.count(greetings);
  if (mode === 'late') await sleep(LATE_MS);
  for (let count = 1; count <= COUNT; count++) {
    socket.write(`line ${count}\r\n`);
    await heard.count(greetings + count);
  }
  // What the server says to a client that has ended its half still comes.
  socket.end();
  await patiently(ended, 'the server did not end');
  return { messages: heard.messages, at: heard.at };
});

// A steady load on one URL: half of it over new connections, half over kept-alive ones, until /tmp/stop
// appears. Then prints one line of JSON: how many requests were sent, and the ones that failed.
import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';

const PER_SECOND = 50;
const url = process.argv[2];
const agents = [new Agent({ keepAlive: false }), new Agent({ keepAlive: true, maxSockets: 5 })];
const failed = [];
let sent = 0;
let pending = 0;

function send() {
  const agent = agents[sent % agents.length];
  const name = { kind: agent.keepAlive ? 'kept-alive' : 'new', at: new Date().toISOString(), number: ++sent };
  const fail = (why) => failed.push({ ...name, why });
  pending++;
  const call = request(`${url}?n=${sent}`, { agent, timeout: 10_000 }, (response) => {
    response.resume();
    response.on('error', (error) => fail(error.message));
    response.on('close', () => pending--);
    if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
  });
  call.on('timeout', () => call.destroy(new Error('no answer in 10 s')));
  call.on('error', (error) => {
    fail(`${error.code} ${error.message}${call.reusedSocket ? ', reused' : ''}`);
    pending--;
  });
  call.end();
}

const sending = setInterval(send, 1000 / PER_SECOND);
const watching = setInterval(() => {
  if (!existsSync('/tmp/stop')) return;
  clearInterval(sending);
  if (pending > 0) return;
  clearInterval(watching);
  console.log(JSON.stringify({ sent, failed }));
  setInterval(() => {}, 60_000);
}, 100);
console.log('sending');

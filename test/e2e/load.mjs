// A steady load on one URL: half of it over new connections, half over kept-alive ones, until /tmp/stop
// appears. It begins when the URL has answered for a second, since a node may have yet to follow its Service, and says
// so. At the end prints one line of JSON: how many requests were sent, the ones that failed, and the numbers of those
// that reached the app from within its pod: by a proxy.
import { existsSync } from 'node:fs';
import { get, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { PatientAgent } from './patient-agent.mjs';

const [url, perSecond] = process.argv.slice(2);
// A connection that is idle for longer may be closed by the server at any moment, node's after 5 s: its next request would
// be lost whoever is in between.
const IDLE_MS = 2000;
const agents = [
  new PatientAgent({ keepAlive: false }),
  new PatientAgent({ keepAlive: true, maxSockets: 5, timeout: IDLE_MS }),
];
const failed = [];
const proxied = [];
let sent = 0;
let pending = 0;

function send() {
  const agent = agents[sent % agents.length];
  const number = ++sent;
  const name = { kind: agent.keepAlive ? 'kept-alive' : 'new', at: new Date().toISOString(), number };
  const fail = (why) => failed.push({ ...name, why });
  pending++;
  const call = request(`${url}?n=${number}`, { agent, timeout: 10_000 }, (response) => {
    let body = '';
    response.on('data', (data) => {
      body += data;
    });
    response.on('error', (error) => fail(error.message));
    response.on('end', () => {
      if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
      else if (JSON.parse(body).proxied) proxied.push(number);
    });
    response.on('close', () => pending--);
  });
  call.on('timeout', () => call.destroy(new Error('no answer in 10 s')));
  call.on('error', (error) => {
    fail(`${error.code} ${error.message}${call.reusedSocket ? ', reused' : ''}`);
    pending--;
  });
  call.end();
}

/** Whether the URL answers over a connection of its own. */
function answers() {
  return new Promise((resolve) => {
    const call = get(url, { agent: false, timeout: 1000 }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode === 200));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
  });
}

for (let inARow = 0; inARow < 10; await sleep(100)) inARow = (await answers()) ? inARow + 1 : 0;

const sending = setInterval(send, 1000 / Number(perSecond));
const watching = setInterval(() => {
  if (!existsSync('/tmp/stop')) return;
  clearInterval(sending);
  if (pending > 0) return;
  clearInterval(watching);
  console.log(JSON.stringify({ sent, failed, proxied }));
  setInterval(() => {}, 60_000);
}, 100);
console.log('sending');

// A web client: ask-web.js URL get|sse|ndjson|ws, with http or https in the URL.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import { WebSocket } from 'ws';
import { Heard, main, type Outcome, patiently, tlsOfClient } from './ask.ts';

const COUNT = 3;

async function open(url: URL): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? requestByTls : request;
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    send(url, { agent: false, ...tlsOfClient() }, resolve)
      .on('error', reject)
      .end(),
  );
  return await patiently(answered, `${url.pathname} was not answered`);
}

async function get(url: URL): Promise<Outcome> {
  const heard = new Heard();
  const response = await open(url);
  let body = '';
  for await (const chunk of response) body += chunk;
  heard.add(body);
  return { ...plain(heard), status: response.statusCode };
}

/** The next event is sent only when the one before was heard: one that is held back on the way ends it. */
async function readEvents(base: URL, type: string): Promise<Outcome> {
  const heard = new Heard();
  const id = randomUUID();
  const response = await open(new URL(`/events?id=${id}&type=${encodeURIComponent(type)}`, base));
  let rest = '';
  response.on('data', (chunk) => {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) heard.add(event.replace(/^data: /, ''));
  });
  const ended = new Promise((resolve) => response.on('end', resolve));
  for (let count = 1; count <= COUNT; count++) {
    await heard.count(count);
    if (count < COUNT) await patiently(askForNext(base, id), 'nobody knows the stream');
  }
  await patiently(ended, 'the stream did not end');
  return { ...plain(heard), status: response.statusCode };
}

/** A Service may lead to another pod than the one that has the stream: until that one answers. */
async function askForNext(base: URL, id: string): Promise<void> {
  for (;;) {
    const response = await open(new URL(`/next?id=${id}`, base));
    response.resume();
    if (response.statusCode === 200) return;
  }
}

/** Each message is sent only when the one before was answered. */
async function talk(url: URL): Promise<Outcome> {
  const heard = new Heard();
  const socket = new WebSocket(url.href.replace(/^http/, 'ws'), tlsOfClient());
  socket.on('message', (data) => heard.add(String(data)));
  const opened = new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  await patiently(opened, 'the WebSocket did not open');
  for (let count = 1; count <= COUNT; count++) {
    socket.send(String(count));
    await heard.count(count);
  }
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.close(1000);
  return { ...plain(heard), status: await patiently(closed, 'the WebSocket did not close') };
}

const plain = (heard: Heard): Outcome => ({ messages: heard.messages, at: heard.at });

const MODES: Record<string, (url: URL) => Promise<Outcome>> = {
  get,
  sse: (url) => readEvents(url, 'text/event-stream'),
  ndjson: (url) => readEvents(url, 'application/x-ndjson'),
  ws: talk,
};

await main(async (url, mode) => {
  const ask = MODES[mode];
  if (!ask) throw new Error(`${mode} is none of ${Object.keys(MODES).join(', ')}`);
  return await ask(url);
});

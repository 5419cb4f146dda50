// Sends requests to the host shop.example and prints each answer as one line of JSON: `ask.mjs URL` sends one; without
// an argument each line of stdin is one, {"id":1,"url":"http://…","body":"…"}, and its answer has its id.
import http from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';

const [url] = process.argv.slice(2);
if (url) ask({ url });
else createInterface(process.stdin).on('line', (line) => ask(JSON.parse(line)));

function ask({ id, url, body }) {
  const protocol = url.startsWith('https:') ? https : http;
  // Each over a connection of its own, which looks like one that is kept alive.
  const agent = new protocol.Agent({ keepAlive: true });
  const say = (answer) => {
    console.log(JSON.stringify({ id, ...answer }));
    agent.destroy();
  };
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: { host: 'shop.example', 'content-length': Buffer.byteLength(body ?? '') },
    // The proxy's certificate is its own.
    rejectUnauthorized: false,
    agent,
  };
  const call = protocol.request(url, options, (response) => {
    let text = '';
    response.on('data', (chunk) => {
      text += chunk;
    });
    response.on('end', () => {
      const { statusCode: status, headers } = response;
      say({ status, headers, body: text });
    });
    response.on('error', (error) => say({ status: 0, headers: {}, body: error.message }));
  });
  // A Service that no node knows yet drops what is sent to it, and the kernel tries for two minutes.
  call.on('socket', (socket) => {
    const timer = setTimeout(() => call.destroy(new Error('not connected in 10 s')), 10_000);
    for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
  });
  call.on('error', (error) => say({ status: 0, headers: {}, body: error.message }));
  call.end(body);
}

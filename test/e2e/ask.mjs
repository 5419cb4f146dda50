// Sends one request, `ask.mjs METHOD URL HOST [BODY]`, and prints its answer as one line of JSON.
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const [method, url, host, body = ''] = process.argv.slice(2);
const headers = { host, 'content-length': Buffer.byteLength(body) };
// The proxy's certificate is its own.
const options = { method, headers, rejectUnauthorized: false };
const call = (url.startsWith('https:') ? https : http)(url, options, (response) => {
  let text = '';
  response.on('data', (chunk) => {
    text += chunk;
  });
  response.on('end', () => {
    const { statusCode: status, headers } = response;
    console.log(JSON.stringify({ status, headers, body: text }));
  });
});
call.on('error', (error) => console.log(JSON.stringify({ status: 0, headers: {}, body: error.message })));
call.end(body);

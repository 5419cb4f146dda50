// Runs inside the pocket cluster's namespaces: each request names a trial, the answer is its result.
import { createServer } from 'node:http';
import { prepareNetwork } from '../src/network/sandbox.ts';
import { trials } from './machine-trials.ts';

await prepareNetwork();
const server = createServer((request, response) => {
  const trial = trials[decodeURIComponent(request.url ?? '').slice(1)];
  Promise.resolve(trial?.()).then(
    () => response.writeHead(trial ? 200 : 404).end(),
    (error: Error) => response.writeHead(500).end(error.stack),
  );
});
server.listen({ fd: 3 }, () => console.log('ready'));
process.stdin.resume().on('end', () => process.exit());

// Shows what a capture writes, a request a line: `watch.ts FILE SECONDS`.
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseFlow } from '../../scripts/lib/flow/flow.ts';
import { Splitter } from '../../scripts/lib/flow/splitter.ts';
import { lineOf, requestOf } from './traffic.ts';

const [name = '', seconds] = process.argv.slice(2);
const until = Date.now() + Number(seconds) * 1000;
const file = openSync(name, 'r');
const splitter = new Splitter();
const buffer = Buffer.alloc(64 * 1024);

console.log(`\nWho calls it, for ${seconds} s:\n`);
while (Date.now() < until) {
  const length = readSync(file, buffer);
  if (length === 0) await sleep(100);
  for (const piece of splitter.push(Buffer.from(buffer.subarray(0, length)))) {
    const request = requestOf(parseFlow(piece));
    if (request) console.log(lineOf(request));
  }
}
closeSync(file);
console.log('\nWe give it back:\n');

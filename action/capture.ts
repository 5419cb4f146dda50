// Captures one Service in the background, from the Action's main step to its post step: capture.js FOLDER NUMBER.
// NUMBER.json in the folder has the order. NUMBER.sock sends `tapped` to clients, and ends the capture when it gets
// `stop`. NUMBER.begun exists from before the first change. NUMBER.end has the exit code.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAbandoned } from '../scripts/lib/capture/abandoned.ts';
import { untapAndSaveFlows } from '../scripts/lib/capture/untap-and-save.ts';
import type { Flags } from '../scripts/lib/cli/flags.ts';
import { run } from '../scripts/lib/cli/run.ts';
import { capture } from '../scripts/lib/commands/capture.ts';
import { isCapture } from '../scripts/lib/plan/record.ts';
import { createContext } from '../scripts/lib/tap/context.ts';
import { openTarget, resolve } from '../scripts/lib/tap/resolve.ts';
import { jobFile, type Order, STOP, TAPPED } from './order.ts';

/** How long to wait for the end of another capture, in ms: after a minute without a heartbeat it is dead. */
const DOUBT_MS = 75_000;
const LOOK_MS = 5000;

const [folder = '', number = ''] = process.argv.slice(2);
const { service, flags } = JSON.parse(readFileSync(jobFile(folder, number, 'json'), 'utf8')) as Order;
const sockets = new Set<Socket>();
let isTapped = false;

createServer((socket) => {
  sockets.add(socket.unref());
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    if (String(data) === STOP) process.kill(process.pid, 'SIGTERM');
  });
  if (isTapped) socket.write(TAPPED);
})
  .listen(jobFile(folder, number, 'sock'))
  .unref();
process.on('exit', (code) => writeFileSync(jobFile(folder, number, 'end'), String(code)));

await run(async () => {
  await takeOver(service, flags);
  process.exitCode = await capture(service, flags, [], {
    onFirstChange: () => writeFileSync(jobFile(folder, number, 'begun'), ''),
    onTapped: () => {
      isTapped = true;
      for (const socket of sockets) socket.write(TAPPED);
    },
  });
});

/** Restores the Service if a capture of it has died with its runner. */
async function takeOver(argument: string, flags: Flags<'capture'>): Promise<void> {
  const target = await resolve(createContext(flags), argument);
  const deadline = Date.now() + DOUBT_MS;
  for (;;) {
    const { context, service, record } = await openTarget(target);
    if (!record || !isCapture(record)) return;
    const by = `by ${record.owner} since ${record.started}`;
    if (await isAbandoned({ kubectl: context.kubectl, service, record })) {
      context.log.say(`${target.id} was left tapped, ${by}: restoring it first`);
      return void (await untapAndSaveFlows(context, target.id, record.id));
    }
    // The other capture lives: capture() reports that.
    if (Date.now() > deadline) return;
    context.log.progress(
      `${target.id} is being captured, ${by}; waiting to see whether that capture is alive`,
    );
    await sleep(LOOK_MS);
  }
}

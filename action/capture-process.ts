import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../scripts/lib/util/error.ts';
import { parseDuration } from '../scripts/lib/util/parse.ts';
import { jobFile, type Order, STOP } from './order.ts';

/** Beside the bundle of this file, in dist. */
const PROGRAM = fileURLToPath(new URL('capture.js', import.meta.url));
/** How long a capture may take until it listens on its socket, in ms. */
const START_MS = 10_000;
/** The same for a capture that must stop, in ms: it may just have been started. */
const STOP_MS = 2000;
/** The time that a capture may take to stop in addition to the rollout, in seconds: it reads the last flows. */
const MORE_SECONDS = 180;

/** Starts a capture in the background. It outlives this process. */
export function startCapture(folder: string, number: number, order: Order, owner: string): void {
  writeFileSync(jobFile(folder, number, 'json'), JSON.stringify(order), { mode: 0o600 });
  const log = openSync(jobFile(folder, number, 'log'), 'a', 0o600);
  const env = { ...process.env, MITTENS_OWNER: owner };
  const args = [PROGRAM, folder, String(number)];
  spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log], env }).unref();
}

/** Reads the log of a capture from a position, in characters. */
export function readLog(folder: string, number: number, from = 0): string {
  const file = jobFile(folder, number, 'log');
  return existsSync(file) ? readFileSync(file, 'utf8').slice(from) : '';
}

/**
 * Waits until a capture has tapped its Service.
 * @throws UserError with the capture's error when it has ended instead.
 */
export async function waitForTap(folder: string, number: number): Promise<void> {
  const socket = await connectTo(folder, number, START_MS);
  const isTapped = socket && (await waitForData(socket));
  if (isTapped) return;
  throw lastWords(folder, number);
}

/** The error in the log of a capture that failed. */
export function lastWords(folder: string, number: number): UserError {
  const lines = readLog(folder, number).trim().split('\n');
  const error = lines.findLastIndex((line) => /^error/i.test(line));
  const [message = 'the capture died', ...hints] = error < 0 ? lines.slice(-1) : lines.slice(error);
  const hint = hints.map((line) => line.replace(/^hint: /, '')).join('\n');
  return new UserError(message.replace(/^error: /, ''), { hint });
}

/** Whether data comes before the socket closes. The only data is that the Service is tapped. */
async function waitForData(socket: Socket): Promise<boolean> {
  const heard = await new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  socket.destroy();
  return heard;
}

/**
 * Tells a capture to restore its Service, and waits until it has ended.
 * @returns whether it has restored the Service; one that was killed or failed may not have.
 */
export async function stopCapture(folder: string, number: number, timeout: string): Promise<boolean> {
  const socket = await connectTo(folder, number, STOP_MS);
  if (socket) {
    socket.resume().write(STOP);
    const late = sleep((parseDuration(timeout) + MORE_SECONDS) * 1000, undefined, { ref: false });
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), late]);
    socket.destroy();
  }
  return ['0', '143'].includes(readExitCode(folder, number));
}

/** Whether a capture has ended with an error. */
export function hasFailed(folder: string, number: number): boolean {
  return readExitCode(folder, number) === '1';
}

/** A capture writes this file just before it ends. Without it, the capture was killed. */
function readExitCode(folder: string, number: number): string {
  const end = jobFile(folder, number, 'end');
  return existsSync(end) ? readFileSync(end, 'utf8') : '';
}

/** @returns undefined when the capture does not listen. */
async function connectTo(folder: string, number: number, patience: number): Promise<Socket | undefined> {
  const deadline = Date.now() + patience;
  for (;;) {
    const socket = connect(jobFile(folder, number, 'sock'));
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (connected) return socket.on('error', () => undefined);
    if (existsSync(jobFile(folder, number, 'end')) || Date.now() >= deadline) return undefined;
    await sleep(20);
  }
}

import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../scripts/lib/util/error.ts';
import { parseDuration } from '../scripts/lib/util/parse.ts';
import { jobFile, type Order, STOP } from './order.ts';

/** In dist, where both are. */
const PROGRAM = fileURLToPath(new URL('capture.js', import.meta.url));
/** How long a capture may take to begin to listen, in ms. */
const START_MS = 10_000;
/** And how long one is waited for that shall stop: it may have been started a moment ago. */
const STOP_MS = 2000;
/** What it may take besides the rolling of pods: for the last flows, and for what is being waited for, in seconds. */
const MORE_SECONDS = 180;

/** Starts the capture with this number in the background, where it outlives this process. */
export function startCapture(folder: string, number: number, order: Order, owner: string): void {
  writeFileSync(jobFile(folder, number, 'json'), JSON.stringify(order), { mode: 0o600 });
  const log = openSync(jobFile(folder, number, 'log'), 'a', 0o600);
  const env = { ...process.env, MITTENS_OWNER: owner };
  const args = [PROGRAM, folder, String(number)];
  spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log], env }).unref();
}

/** What a capture has said since `from`, in characters. */
export function readLog(folder: string, number: number, from = 0): string {
  const file = jobFile(folder, number, 'log');
  return existsSync(file) ? readFileSync(file, 'utf8').slice(from) : '';
}

/**
 * Waits until a capture has tapped its Service.
 * @throws UserError with its last words when it has ended instead.
 */
export async function waitForTap(folder: string, number: number): Promise<void> {
  const socket = await connectTo(folder, number, START_MS);
  const isTapped = socket && (await waitForData(socket));
  if (isTapped) return;
  throw lastWords(folder, number);
}

/** What a capture that has failed said of it. */
export function lastWords(folder: string, number: number): UserError {
  const lines = readLog(folder, number).trim().split('\n');
  const error = lines.findLastIndex((line) => /^error/i.test(line));
  const [message = 'the capture died', ...hints] = error < 0 ? lines.slice(-1) : lines.slice(error);
  const hint = hints.map((line) => line.replace(/^hint: /, '')).join('\n');
  return new UserError(message.replace(/^error: /, ''), { hint });
}

/** Whether it says something before it ends; that can only be that the Service is tapped. */
async function waitForData(socket: Socket): Promise<boolean> {
  const heard = await new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  socket.destroy();
  return heard;
}

/**
 * Tells a capture to give its Service back, and waits until it has ended.
 * @returns whether it ended in order; one that was killed, or that failed, has perhaps not given it back.
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

/** Whether a capture has ended by itself, in an error. */
export function hasFailed(folder: string, number: number): boolean {
  return readExitCode(folder, number) === '1';
}

/** The file is written as the last thing before its socket closes; where it is not there, the capture was killed. */
function readExitCode(folder: string, number: number): string {
  const end = jobFile(folder, number, 'end');
  return existsSync(end) ? readFileSync(end, 'utf8') : '';
}

/** @returns undefined when it does not listen, or not any more. */
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

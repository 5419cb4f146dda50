import { info } from '@actions/core';
import { printable } from '../scripts/lib/util/log.ts';
import { readLog } from './capture-process.ts';
import type { Job } from './job.ts';

/**
 * Prints text from a cluster or a capture. Disarms the commands that a runner would execute: `::` at the beginning of a
 * line, and the older `##[` anywhere.
 */
export function print(text: string): void {
  for (const line of text.split('\n')) info(harmless(printable(line)));
}

export function harmless(line: string): string {
  return line.replaceAll('##[', '## [').replace(/^\s*::/, (colons) => colons.replace('::', ': :'));
}

/** Prints the new lines in the log of a capture. */
export function printLog({ folder, inputs, printed }: Job, number: number): void {
  const from = printed[number] ?? 0;
  const log = readLog(folder, number, from);
  const whole = log.slice(0, log.lastIndexOf('\n') + 1);
  printed[number] = from + whole.length;
  const who = inputs.targets.length > 1 ? `${inputs.targets[number]?.service}: ` : '';
  for (const line of whole.split('\n').filter(Boolean)) print(`${who}${line}`);
}

import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CaptureFile, formatTimestamp } from '../capture/capture-file.ts';
import type { Flags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
import { parseFilter } from '../flow/filter.ts';
import { options } from '../plan/pod-contract.ts';
import { refuseTapped } from '../plan/preflight.ts';
import type { TapRequest } from '../plan/request.ts';
import { createContext } from '../tap/context.ts';
import { openTarget, resolve } from '../tap/resolve.ts';
import { tapService } from '../tap/tap.ts';
import { UsageError, UserError } from '../util/error.ts';
import { message } from '../util/message.ts';
import { parseDuration, parseSize } from '../util/parse.ts';
import { chooseEngine } from './capture-engine.ts';
import { type CapturePurpose, captureTap } from './capture-tap.ts';
import { listenForUser } from './interrupts.ts';
import { pickPorts } from './pick-port.ts';
import { parseRequest } from './tap-request.ts';

/** What the caller of a capture may want to know. */
export interface CaptureEvents {
  /** Is called before the first change to the cluster. */
  onFirstChange?: () => void;
  /** Is called when the Service is tapped and its flows are read. */
  onTapped?: () => void;
}

/**
 * The command `capture`: taps a Service, writes the flows of all its pods to a file as they come, and restores the
 * Service.
 * @param command runs meanwhile; the capture ends with it.
 * @returns the exit code: that of the command, if there is one.
 */
export async function capture(
  argument: string,
  flags: Flags<'capture'>,
  command: string[],
  { onTapped, ...events }: CaptureEvents = {},
): Promise<number> {
  const asked = parseCaptureRequest(argument, flags);
  const purpose = parsePurpose(flags, command, onTapped);
  const interrupts = listenForUser(mittensCommand('off', [argument]), flags);
  const { signal } = interrupts;
  const target = await resolve(createContext(flags, { signal, ...events }), argument);
  if (!target.id.startsWith('service/'))
    throw new UsageError(
      `"${argument}" is not a Service`,
      message`capture a Service, or tap one pod: ${mittensCommand('on', [target.id])}`,
    );
  const file = parseCaptureFile(flags, target.id.slice('service/'.length));
  const { context, service, record: earlier } = await openTarget(target);
  if (earlier) refuseTapped(service, earlier, asked);
  const request = { ...asked, ports: await pickPorts(service, asked.ports, signal) };
  const record = await tapService(context, service, request);
  return await captureTap(context, { kubectl: context.kubectl, service, record }, file, purpose, signal);
}

/** What the user asks of a capture's tap, checked before the cluster is read. */
function parseCaptureRequest(argument: string, flags: Flags<'capture'>): TapRequest {
  const engine = chooseEngine(flags);
  const limit = parseBodyLimit(flags);
  // From the wire, bodies are cut on this machine.
  const isCutInPods = engine === 'mitmdump' && limit !== undefined;
  return parseRequest(argument, flags, engine, isCutInPods ? ['--set', `${options.bodyLimit}=${limit}`] : []);
}

function parseBodyLimit(flags: Flags<'capture'>): number | undefined {
  return flags['body-limit'] === undefined ? undefined : parseSize(flags['body-limit']);
}

function parsePurpose(
  flags: Flags<'capture'>,
  command: string[],
  onTapped: CapturePurpose['onTapped'],
): CapturePurpose {
  return {
    seconds: flags.for === undefined ? undefined : parseDuration(flags.for),
    // Applied here, not in the pods: mitmproxy has fewer filters than we, and reads `~c 5..` in another way.
    filter: flags.filter === undefined ? undefined : parseFilter(flags.filter),
    bodyLimit: parseBodyLimit(flags),
    command,
    onTapped,
  };
}

/** The file for the flows. @throws UserError when it can't be written. */
function parseCaptureFile(flags: Flags<'capture'>, service: string): CaptureFile {
  const count = flags.count === undefined ? undefined : Number(flags.count);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    throw new UsageError(`"${flags.count}" is not a number of flows`);
  const limits = { count, size: flags['max-size'] === undefined ? undefined : parseSize(flags['max-size']) };
  const name = flags.output ?? `${service}-${formatTimestamp(new Date())}.mitm`;
  if (name === '') throw new UsageError('--output needs the name of a file');
  if (name === '-') {
    if (process.stdout.isTTY)
      throw new UsageError(
        "flows can't be written to a terminal",
        'pipe them into a program, or name a file with -o FILE',
      );
    return new CaptureFile(name, limits);
  }
  try {
    if (existsSync(name) && statSync(name).isDirectory()) throw new UserError(`${name} is a folder`);
    accessSync(existsSync(name) ? name : dirname(name), constants.W_OK);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} can't be written: ${(error as Error).message}`);
  }
  return new CaptureFile(name, limits);
}

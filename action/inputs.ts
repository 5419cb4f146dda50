import { getInput } from '@actions/core';
import { ENGINES, type Engine } from '../scripts/lib/commands/capture-engine.ts';
import { type Filter, parseFilter } from '../scripts/lib/flow/filter.ts';
import { parseResourceArg } from '../scripts/lib/kube/resource-arg.ts';
import { PROTOCOLS, type Protocol } from '../scripts/lib/plan/protocol.ts';
import type { TapRecord } from '../scripts/lib/plan/record.ts';
import { UserError } from '../scripts/lib/util/error.ts';
import { parseDuration } from '../scripts/lib/util/parse.ts';

/** A Service to tap. */
interface Target {
  /** The argument for commands: `shop/orders`, or `orders` in the context's namespace. */
  service: string;
  /** Empty means the only port. */
  ports: string[];
}

export const FORMATS = ['mitm', 'har', 'html', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

/** The inputs of the Action. action.yml describes them. */
export interface Inputs {
  targets: Target[];
  context: string | undefined;
  /** The path of a file, or its content. */
  kubeconfig: string | undefined;
  mode: TapRecord['mode'];
  protocol: Protocol;
  engine: Engine | undefined;
  image: string | undefined;
  run: string | undefined;
  filter: string | undefined;
  redact: boolean;
  redactNames: string[];
  formats: Format[];
  artifactName: string | undefined;
  upload: boolean;
  retentionDays: number | undefined;
  summary: boolean;
  failOn: Filter | undefined;
  expect: Filter | undefined;
  baseline: string | undefined;
  timeout: string;
  ignoreFailedClean: boolean;
}

/** Characters that GitHub refuses in the name of an artifact. */
const NOT_IN_NAMES = /["*/:<>?\\|\r\n]/;
const MAX_RETENTION_DAYS = 400;

/**
 * Reads and checks all inputs.
 * @throws UserError for the first wrong one. The message names it.
 */
export function readInputs(): Inputs {
  return {
    targets: readInput('service', parseTargets),
    context: optional('context'),
    kubeconfig: optional('kubeconfig'),
    mode: readInput('mode', (mode) => parseChoice(mode || 'sidecar', ['sidecar', 'ephemeral'] as const)),
    protocol: readInput('protocol', (protocol) => parseChoice(protocol || 'auto', PROTOCOLS)),
    engine: readInput('engine', (engine) => (engine ? parseChoice(engine, ENGINES) : undefined)),
    image: optional('image'),
    run: optional('run'),
    filter: readInput('filter', (filter) => parseOptionalFilter(filter) && filter),
    redact: readInput('redact', (text) => parseBoolean(text, true)),
    redactNames: splitList(getInput('redact-names'), /\n/),
    formats: readInput('formats', parseFormats),
    artifactName: readInput('artifact-name', parseArtifactName),
    upload: readInput('upload', (text) => parseBoolean(text, true)),
    retentionDays: readInput('retention-days', parseRetentionDays),
    summary: readInput('summary', (text) => parseBoolean(text, true)),
    failOn: readInput('fail-on', parseOptionalFilter),
    expect: readInput('expect', parseOptionalFilter),
    baseline: optional('baseline'),
    timeout: readInput('timeout', (text) => (parseDuration(text || '5m') && text) || '5m'),
    ignoreFailedClean: readInput('ignore-failed-clean', (text) => parseBoolean(text, false)),
  };
}

/** Reads an input by a parser. Adds the name of the input to errors. */
function readInput<T>(name: string, read: (text: string) => T): T {
  try {
    return read(getInput(name));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`input ${name}: ${error.message}`, { hint: error.hint });
  }
}

function optional(name: string): string | undefined {
  return getInput(name) || undefined;
}

function splitList(text: string, separator: RegExp): string[] {
  return text
    .split(separator)
    .map((item) => item.trim())
    .filter(Boolean);
}

/** A Service that is named several times is one tap of several ports. */
function parseTargets(text: string): Target[] {
  const targets = new Map<string, Target>();
  for (const line of splitList(text, /\n/)) {
    const [, name = line, port] = /^([^:]*):([^:]*)$/.exec(line) ?? [];
    const { namespace = optional('namespace'), kind, name: service } = parseResourceArg(name);
    if (kind !== 'service')
      throw new UserError(`"${name}" is not a Service`, { hint: 'name the Service in front of it' });
    const full = namespace ? `${namespace}/${service}` : service;
    const target = targets.get(full) ?? { service: full, ports: [] };
    target.ports.push(...[port ?? getInput('port')].filter(Boolean));
    targets.set(full, target);
  }
  if (targets.size > 0) return [...targets.values()];
  throw new UserError('which Service?', { hint: 'service: shop/orders' });
}

function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  const choice = choices.find((choice) => choice === text);
  if (choice) return choice;
  throw new UserError(`"${text}" is not one of ${choices.join(', ')}`);
}

/** A boolean of YAML 1.2, https://yaml.org/spec/1.2.2/#10212-boolean. */
function parseBoolean(text: string, byDefault: boolean): boolean {
  if (text === '') return byDefault;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  throw new UserError(`"${text}" is neither true nor false`);
}

function parseOptionalFilter(text: string): Filter | undefined {
  return text ? parseFilter(text) : undefined;
}

function parseFormats(text: string): Format[] {
  const formats = splitList(text || 'mitm,har,html', /[\s,]/).map((name) => parseChoice(name, FORMATS));
  return [...new Set(formats)];
}

function parseArtifactName(text: string): string | undefined {
  const wrong = NOT_IN_NAMES.exec(text)?.[0];
  if (wrong) throw new UserError(`an artifact's name can't have ${JSON.stringify(wrong)}`);
  return text || undefined;
}

function parseRetentionDays(text: string): number | undefined {
  if (text === '') return undefined;
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= MAX_RETENTION_DAYS) return days;
  throw new UserError(`"${text}" is not a number of days from 1 to ${MAX_RETENTION_DAYS}`);
}

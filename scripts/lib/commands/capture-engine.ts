import { DEFAULT_ENGINE, type Flags } from '../cli/flags.ts';
import { UsageError } from '../util/error.ts';

/** What reads the traffic of a capture: this machine, from a wire file, or mitmdump in the pods. */
export const ENGINES = ['wire', 'mitmdump'] as const;
export type Engine = (typeof ENGINES)[number];

/** The flags that change the traffic or end TLS: bytes that are copied stay as they are. */
const OF_MITMPROXY = [
  ...(['modify-headers', 'modify-body', 'map-remote', 'script', 'replay', 'forwarded'] as const),
  ...(['tls-secret', 'client-tls-secret'] as const),
];

/**
 * The engine that a capture is asked for, or the one that can do what else it is asked for.
 * @throws UsageError when these are not the same.
 */
export function chooseEngine(flags: Flags<'capture'>): Engine {
  const reason = findReasonForMitmproxy(flags);
  if (flags.engine === undefined) return reason === undefined ? DEFAULT_ENGINE : 'mitmdump';
  const engine = ENGINES.find((engine) => engine === flags.engine);
  if (!engine) throw new UsageError(`"${flags.engine}" is not an engine`, ENGINES.join(' or '));
  if (engine === 'wire' && reason !== undefined)
    throw new UsageError(
      `--engine wire only copies bytes, and ${reason} needs mitmproxy`,
      'use --engine mitmdump',
    );
  return engine;
}

/** @returns the flag that needs it; undefined when none does. */
function findReasonForMitmproxy(flags: Flags<'capture'>): string | undefined {
  if (flags.protocol === 'https') return '--protocol https';
  const name = OF_MITMPROXY.find((name) =>
    Array.isArray(flags[name]) ? flags[name].length > 0 : flags[name],
  );
  return name && `--${name}`;
}

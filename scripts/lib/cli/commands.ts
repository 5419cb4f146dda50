import type { CommandName, Flags } from './flags.ts';

/** What `--help` says of a command besides its flags. */
export interface CommandHelp<C extends CommandName> {
  /** One sentence. */
  does: string;
  /** Shown after the examples. */
  notes?: string;
  args: Arguments;
  /** What may stand after `--`; without it, that is more arguments. */
  rest?: { name: string; help: string };
  examples: Example<C>[];
}

interface Arguments {
  /** What stands for an argument in help. */
  name: string;
  min: number;
  max: number;
}

export interface Example<C extends CommandName> {
  says: string;
  args?: string[];
  flags?: Flags<C>;
  rest?: string[];
  /** A redirection or a pipe. */
  pipe?: string;
}

const NOTHING: Arguments = { name: '', min: 0, max: 0 };
const SERVICE: Arguments = { name: 'SERVICE', min: 1, max: 1 };
const SERVICES: Arguments = { name: 'SERVICE...', min: 0, max: Number.POSITIVE_INFINITY };
const FILES: Arguments = { name: 'FILE...', min: 1, max: Number.POSITIVE_INFINITY };

const WHAT_A_SERVICE_IS =
  'SERVICE is web, svc/web, or shop/web with its namespace. deploy/web, sts/web and ds/web mean the Service in front of that workload.';

export const COMMANDS: { [C in CommandName]: CommandHelp<C> } = {
  on: {
    does: 'Tap a Service: put mitmproxy in front of its pods, and open it in this terminal.',
    notes: `In mitmproxy, q ends the tap and restores the Service. ${WHAT_A_SERVICE_IS} pod/web-1 means that pod alone, which is then reached through a local port.`,
    args: SERVICE,
    rest: { name: 'ARGS...', help: "mitmproxy's own options: `-- --set anticache=true`" },
    examples: [
      { says: 'Tap the Service web in the namespace shop', args: ['web'], flags: { namespace: 'shop' } },
      { says: 'Restart no pod', args: ['web'], flags: { 'no-restart': true } },
      { says: 'Tap two ports', args: ['web'], flags: { port: ['80', 'metrics'] } },
      { says: 'Use a browser instead of the terminal', args: ['web'], flags: { web: true } },
      { says: 'Hold every POST until you let it go', args: ['web'], flags: { intercept: '~q & ~m POST' } },
      { says: 'Leave the tap on; attach shows it later', args: ['web'], flags: { detach: true } },
      { says: 'Show what would be changed', args: ['web'], flags: { 'dry-run': true } },
      { says: 'Pass an option to mitmproxy', args: ['web'], rest: ['--set', 'anticache=true'] },
    ],
  },
  off: {
    does: 'End taps and restore their Services, whoever began them and whatever state they are in.',
    args: SERVICES,
    examples: [
      { says: 'Restore the Service web in the namespace shop', args: ['web'], flags: { namespace: 'shop' } },
      { says: 'Restore every tapped Service of the namespace', flags: { all: true } },
      { says: 'Restore every tapped Service', flags: { all: true, 'all-namespaces': true } },
    ],
  },
  list: {
    does: 'List the taps: what is tapped, since when, by whom, and whether the tap is intact.',
    args: NOTHING,
    examples: [
      { says: 'List the taps in the namespace shop', flags: { namespace: 'shop' } },
      { says: 'List all taps', flags: { 'all-namespaces': true } },
      { says: 'For programs', flags: { output: 'json' } },
    ],
  },
  attach: {
    does: 'Return to the mitmproxy of a tap, from any terminal or machine.',
    notes: WHAT_A_SERVICE_IS,
    args: SERVICE,
    examples: [
      { says: 'Return to the tap of web in the namespace shop', args: ['web'], flags: { namespace: 'shop' } },
      { says: 'Show one pod, without tmux', args: ['web'], flags: { 'no-tmux': true } },
    ],
  },
  capture: {
    does: 'Record the requests to all pods of a Service in a flow file, then restore the Service.',
    notes: `It stops when COMMAND ends, when a flag says so, or with Ctrl-C. ${WHAT_A_SERVICE_IS}`,
    args: SERVICE,
    rest: {
      name: 'COMMAND...',
      help: 'Run this command once the tap is on, stop when it ends, and exit with its status. With `-o -` its output goes to stderr',
    },
    examples: [
      { says: 'Record for a minute', args: ['web'], flags: { namespace: 'shop', for: '60s' } },
      {
        says: 'Record while the tests run',
        args: ['web'],
        flags: { output: 'web.mitm' },
        rest: ['npm', 'run', 'e2e'],
      },
      {
        says: 'Look at the failures as they happen',
        args: ['web'],
        flags: { output: '-', filter: '~c 5..' },
        pipe: '| mitmproxy -r -',
      },
    ],
  },
  watch: {
    does: 'Serve the new pods of a tap without a restart: they get the proxy, then traffic.',
    notes:
      'on --no-restart does this while it runs. Use watch if a tap was left on and its watcher has died.',
    args: SERVICE,
    examples: [
      { says: 'Watch the tap of web in the namespace shop', args: ['web'], flags: { namespace: 'shop' } },
    ],
  },
  flows: {
    does: 'Show, filter, compare and convert flow files, from mittens, mitmproxy or (as HAR) a browser.',
    notes:
      'FILE is a flow file (.mitm), a wire file (.wire) or a HAR file, compressed by gzip or not, whatever its name is; - is stdin. diff compares two: flows diff BEFORE AFTER.',
    args: FILES,
    examples: [
      { says: 'One line per request', args: ['web.mitm'] },
      { says: 'One line per endpoint', args: ['web.mitm'], flags: { output: 'summary' } },
      {
        says: 'The failures, the slowest first',
        args: ['web.mitm'],
        flags: { filter: '~c 5..', sort: '-latency' },
      },
      {
        says: 'A report to hand on, without credentials',
        args: ['web.mitm'],
        flags: { redact: true, output: 'html' },
        pipe: '> report.html',
      },
      { says: 'What has changed', args: ['diff', 'before.mitm', 'after.mitm'] },
    ],
  },
  gc: {
    does: 'End the taps that a capture left on when it died, such as on a lost CI runner.',
    args: NOTHING,
    examples: [
      { says: 'Show what would be ended', flags: { 'all-namespaces': true, 'dry-run': true } },
      { says: 'Also end every tap that is older than 2 hours', flags: { 'older-than': '2h' } },
    ],
  },
};

#!/usr/bin/env -S node --import tsx
import { flows, flowsDiff } from './lib/commands/flows.ts';
import { parseCommandLine, run } from './lib/util/cli.ts';

const USAGE = `Look into flow files: what capture, on, mitmproxy and browsers recorded.

Usage: flows FILE… [flags]
       flows diff BEFORE AFTER [flags]

FILE is a flow file (.mitm) or a HAR file, whatever its name, or - for stdin.

  -o, --output FORMAT   table (default), wide, summary, jsonl, har, curl or html; diff: table or json
      --filter EXPR     only flows that match, as in mitmproxy: '~m POST & ~c 5.. & !~u /healthz'
      --sort FIELD      by time, latency, status, size, path or method; --sort=-FIELD turns it around
      --limit N         the first N
      --redact          mask credentials
      --redact-name N   mask what has this name, too; more than once for several
      --redact-pattern R  mask what matches this regular expression, too; more than once for several
  -w, --write FILE      write the flows to a flow file; - is stdout
      --exit-code       diff: exit with 1 when there are differences
  -h, --help            this text
`;

// Whoever reads us has seen enough.
process.stdout.on('error', () => process.exit());

await run(async () => {
  const { values, positionals } = parseCommandLine(USAGE, {
    output: { type: 'string', short: 'o' },
    filter: { type: 'string' },
    sort: { type: 'string' },
    limit: { type: 'string' },
    redact: { type: 'boolean' },
    'redact-name': { type: 'string', multiple: true },
    'redact-pattern': { type: 'string', multiple: true },
    write: { type: 'string', short: 'w' },
    'exit-code': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  const [first, ...rest] = positionals;
  if (first === 'diff') await flowsDiff(rest, values);
  else await flows(positionals, values);
});

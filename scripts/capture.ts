#!/usr/bin/env -S node --import tsx
import { capture } from './lib/commands/capture.ts';
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  onlyArgument,
  parseCommandLine,
  run,
  TAP_FLAGS,
  TAP_HELP,
} from './lib/util/cli.ts';

const USAGE = `Record the requests that reach a Service, in all its pods, into a flow file.

Usage: capture SERVICE [flags] [-- COMMAND…]

SERVICE is web, svc/web or NAMESPACE/web; deploy/web, sts/web or ds/web for the one in front of it. It ends with COMMAND, by a flag, or by Ctrl-C, and gives the Service back.

  -o, --output FILE     where to (default: SERVICE-TIME.mitm); - is stdout
      --for T           how long: 90s, 5m, 1h
      --count N         so many flows
      --max-size SIZE   so many bytes: 64k, 10m, 1g
      --filter EXPR     only flows that match, as in mitmproxy: '~m POST & ~c 5.. & !~u /healthz'
      --body-limit SIZE what is kept of a body, or of a message
${TAP_HELP}
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals, rest } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    output: { type: 'string', short: 'o' },
    for: { type: 'string' },
    count: { type: 'string' },
    'max-size': { type: 'string' },
    filter: { type: 'string' },
    'body-limit': { type: 'string' },
    ...TAP_FLAGS,
  });
  process.exitCode = await capture(onlyArgument(positionals), values, rest);
});

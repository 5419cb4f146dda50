#!/usr/bin/env -S node --import tsx
import { capture } from './lib/capture.ts';
import { CONNECTION_FLAGS, CONNECTION_HELP, onlyArgument, parseCommandLine, run } from './lib/cli.ts';

const USAGE = `Record the requests that reach a Service, in all its pods, into a flow file.

Usage: capture SERVICE [flags] [-- COMMAND…]

SERVICE is web, svc/web or NAMESPACE/web. It ends with COMMAND, by a flag, or by Ctrl-C, and gives the Service back.

  -o, --output FILE     where to (default: SERVICE-TIME.mitm); - is stdout
      --for T           how long: 90s, 5m, 1h
      --count N         so many flows
      --max-size SIZE   so many bytes: 64k, 10m, 1g
      --filter EXPR     only flows that match, as in mitmproxy: '~m POST & ~c 5.. & !~u /healthz'
      --body-limit SIZE what is kept of a body, or of a message
  -p, --port PORT       number or name of the Service's port; more than once for several
      --https           the app speaks TLS on that port
      --listen-port N   where the proxy listens in the pods (default: 7777, or the next that is free)
      --image IMAGE     mitmproxy's image (default: $MITTENS_IMAGE, or mitmproxy/mitmproxy:12.2.3)
      --image-pull-policy P   Always, IfNotPresent (default) or Never
      --templates DIR   your own templates, which win over the built-in ones file by file
      --timeout T       how long pods may take to roll: 90s, 5m (default), 1h
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
    port: { type: 'string', short: 'p', multiple: true },
    https: { type: 'boolean' },
    'listen-port': { type: 'string' },
    image: { type: 'string' },
    'image-pull-policy': { type: 'string' },
    templates: { type: 'string' },
    timeout: { type: 'string' },
  });
  process.exitCode = await capture(onlyArgument(positionals), values, rest);
});

#!/usr/bin/env -S node --import tsx
import { CONNECTION_FLAGS, CONNECTION_HELP, onlyArgument, parseCommandLine, run } from './lib/cli.ts';
import { on } from './lib/on.ts';

const USAGE = `Tap a Service: mitmproxy in front of its pods, inside the cluster.

Usage: on SERVICE [flags] [-- MITMPROXY ARGS…]

SERVICE is web, svc/web or NAMESPACE/web. In mitmproxy, q gives the Service back.

  -p, --port PORT       number or name of the Service's port; more than once for several
      --https           the app speaks TLS on that port
      --listen-port N   where the proxy listens in the pods (default: 7777, or the next that is free)
      --image IMAGE     mitmproxy's image (default: $MITTENS_IMAGE, or mitmproxy/mitmproxy:12.2.3)
      --image-pull-policy P   Always, IfNotPresent (default) or Never
      --templates DIR   your own templates, which win over the built-in ones file by file
      --timeout T       how long pods may take to roll: 90s, 5m (default), 1h
      --detach          leave it on and return; attach comes back to it
      --no-tmux         one pod's mitmproxy on this very terminal
      --dry-run         print the plan and its patches as YAML, change nothing
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals, rest } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    port: { type: 'string', short: 'p', multiple: true },
    https: { type: 'boolean' },
    'listen-port': { type: 'string' },
    image: { type: 'string' },
    'image-pull-policy': { type: 'string' },
    templates: { type: 'string' },
    timeout: { type: 'string' },
    detach: { type: 'boolean' },
    'no-tmux': { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  });
  await on(onlyArgument(positionals), values, rest);
});

#!/usr/bin/env -S node --import tsx
import { on } from './lib/commands/on.ts';
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  onlyArgument,
  parseCommandLine,
  run,
  TAP_FLAGS,
  TAP_HELP,
} from './lib/util/cli.ts';

const USAGE = `Tap a Service: mitmproxy in front of its pods, inside the cluster.

Usage: on SERVICE [flags] [-- MITMPROXY ARGS…]

SERVICE is web, svc/web or NAMESPACE/web; deploy/web, sts/web or ds/web for the one in front of it; or pod/web-1, which
is reached through a local port. In mitmproxy, q gives the Service back.

${TAP_HELP}
      --intercept EXPR  hold requests and answers that match until you let them go on: '~m POST'
      --web             mitmproxy's web interface, on a local port, in your browser
      --isolate         pod/web-1 alone gets its Service's traffic
      --detach          leave it on and return; attach comes back to it
      --watch-detached  with --no-restart: a watcher in tmux serves the pods that come
      --no-tmux         one pod's mitmproxy on this very terminal
      --dry-run         print the plan and its patches as YAML, change nothing
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals, rest } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    ...TAP_FLAGS,
    intercept: { type: 'string' },
    web: { type: 'boolean' },
    isolate: { type: 'boolean' },
    detach: { type: 'boolean' },
    'watch-detached': { type: 'boolean' },
    'no-tmux': { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  });
  await on(onlyArgument(positionals), values, rest);
});

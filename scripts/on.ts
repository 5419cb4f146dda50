#!/usr/bin/env -S node --import tsx
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  onlyArgument,
  parseCommandLine,
  run,
  TAP_FLAGS,
  TAP_HELP,
} from './lib/cli.ts';
import { on } from './lib/on.ts';

const USAGE = `Tap a Service: mitmproxy in front of its pods, inside the cluster.

Usage: on SERVICE [flags] [-- MITMPROXY ARGS…]

SERVICE is web, svc/web or NAMESPACE/web. In mitmproxy, q gives the Service back.

${TAP_HELP}
      --detach          leave it on and return; attach comes back to it
      --no-tmux         one pod's mitmproxy on this very terminal
      --dry-run         print the plan and its patches as YAML, change nothing
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals, rest } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    ...TAP_FLAGS,
    detach: { type: 'boolean' },
    'no-tmux': { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  });
  await on(onlyArgument(positionals), values, rest);
});

#!/usr/bin/env -S node --import tsx
import { watch } from './lib/session/watcher.ts';
import { CONNECTION_FLAGS, CONNECTION_HELP, onlyArgument, parseCommandLine, run } from './lib/util/cli.ts';

const USAGE = `Watch over a tap without a restart: pods that come get the proxy, and then traffic.

Usage: watch SERVICE [flags]

on --no-restart does this while it runs. This is for a tap that is left on, whose watcher has died.

      --templates DIR   the templates that the tap was made with, if not the built-in ones
      --timeout T       how long a pod's proxy may take to listen: 90s, 5m (default), 1h
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    templates: { type: 'string' },
    timeout: { type: 'string' },
  });
  await watch(onlyArgument(positionals), values);
});

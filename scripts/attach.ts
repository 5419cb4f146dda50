#!/usr/bin/env -S node --import tsx
import { attach } from './lib/commands/attach.ts';
import { CONNECTION_FLAGS, CONNECTION_HELP, onlyArgument, parseCommandLine, run } from './lib/util/cli.ts';

const USAGE = `Come back to mitmproxy in front of a tapped Service, from any terminal or machine.

Usage: attach SERVICE [flags]

      --no-tmux         one pod's mitmproxy on this very terminal
      --templates DIR   the templates that the tap was made with, if not the built-in ones
      --timeout T       how long pods may take to roll when q gives the Service back (default: 5m)
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    'no-tmux': { type: 'boolean' },
    templates: { type: 'string' },
    timeout: { type: 'string' },
  });
  await attach(onlyArgument(positionals), values);
});

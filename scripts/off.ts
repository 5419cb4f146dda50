#!/usr/bin/env -S node --import tsx
import { off } from './lib/commands/off.ts';
import { CONNECTION_FLAGS, CONNECTION_HELP, parseCommandLine, run } from './lib/util/cli.ts';

const USAGE = `Give Services back, whoever tapped them, and whatever state that was left in.

Usage: off SERVICE… [flags]
       off --all [-n NS | -A]

      --all             every tapped Service of the namespace
  -A, --all-namespaces  with --all: of every namespace
      --templates DIR   the templates that the tap was made with, if not the built-in ones
      --timeout T       how long pods may take to roll: 90s, 5m (default), 1h
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    all: { type: 'boolean' },
    'all-namespaces': { type: 'boolean', short: 'A' },
    templates: { type: 'string' },
    timeout: { type: 'string' },
  });
  await off(positionals, values);
});

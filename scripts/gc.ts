#!/usr/bin/env -S node --import tsx
import { gc } from './lib/commands/gc.ts';
import { CONNECTION_FLAGS, CONNECTION_HELP, parseCommandLine, run } from './lib/util/cli.ts';

const USAGE = `Give back the Services whose capture was left on by somebody who died: a CI runner, a laptop.

Usage: gc [-n NS | -A] [flags]

  -A, --all-namespaces  of every namespace
      --older-than T    whatever has been tapped for so long, too: 90s, 5m, 1h
      --dry-run         say what would be given back, and change nothing
      --templates DIR   the templates that the taps were made with, if not the built-in ones
      --timeout T       how long pods may take to roll: 90s, 5m (default), 1h
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    'all-namespaces': { type: 'boolean', short: 'A' },
    'older-than': { type: 'string' },
    'dry-run': { type: 'boolean' },
    templates: { type: 'string' },
    timeout: { type: 'string' },
  });
  await gc(positionals, values);
});

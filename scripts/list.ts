#!/usr/bin/env -S node --import tsx
import { list } from './lib/commands/list.ts';
import { CONNECTION_FLAGS, CONNECTION_HELP, parseCommandLine, run } from './lib/util/cli.ts';

const USAGE = `List the Services that are tapped.

Usage: list [flags]

  -A, --all-namespaces  of every namespace
  -o, --output FORMAT   wide, json or name
${CONNECTION_HELP}
`;

await run(async () => {
  const { values, positionals } = parseCommandLine(USAGE, {
    ...CONNECTION_FLAGS,
    'all-namespaces': { type: 'boolean', short: 'A' },
    output: { type: 'string', short: 'o' },
  });
  await list(positionals, values);
});

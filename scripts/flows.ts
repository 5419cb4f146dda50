#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { flows } from './lib/commands/flows.ts';
import { flowsDiff } from './lib/commands/flows-diff.ts';

await runCommand('flows', async ({ args, flags }) => {
  const [first, ...files] = args;
  if (first === 'diff') await flowsDiff(files, flags);
  else await flows(args, flags);
});

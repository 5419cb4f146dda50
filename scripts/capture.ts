#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { capture } from './lib/commands/capture.ts';

await runCommand('capture', async ({ args: [service = ''], flags, rest }) => {
  process.exitCode = await capture(service, flags, rest);
});

#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { watch } from './lib/commands/watch.ts';

await runCommand('watch', async ({ args: [service = ''], flags }) => await watch(service, flags));

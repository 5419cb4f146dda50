#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { on } from './lib/commands/on.ts';

await runCommand('on', async ({ args: [service = ''], flags, rest }) => await on(service, flags, rest));

#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { off } from './lib/commands/off.ts';

await runCommand('off', async ({ args, flags }) => await off(args, flags));

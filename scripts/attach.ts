#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { attach } from './lib/commands/attach.ts';

await runCommand('attach', async ({ args: [service = ''], flags }) => await attach(service, flags));

#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { list } from './lib/commands/list.ts';

await runCommand('list', async ({ flags }) => await list(flags));

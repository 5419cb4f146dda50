#!/usr/bin/env -S node --import tsx
import { runCommand } from './lib/cli/run.ts';
import { gc } from './lib/commands/gc.ts';

await runCommand('gc', async ({ flags }) => await gc(flags));

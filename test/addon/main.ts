// Checks or tests the Python in templates/addon: main.ts lint, or main.ts test [ARGUMENT OF PYTEST]…
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/lib/cli/run.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';
import { listenForInterrupts } from '../../scripts/lib/util/interrupt.ts';
import { type PythonTools, providePythonTools } from '../setup/python-tools.ts';

const TASKS: Record<string, string[][]> = {
  // pyproject.toml says what, and how.
  lint: [['ruff', 'check'], ['ruff', 'format', '--check'], ['mypy']],
  test: [['pytest', '--quiet']],
};

await run(async () => {
  const [task = '', ...more] = process.argv.slice(2);
  const commands = TASKS[task];
  if (!commands) throw new UsageError(`"${task}" is not one of ${Object.keys(TASKS).join(', ')}`);
  const { signal } = listenForInterrupts();
  const tools = await providePythonTools(signal);
  for (const command of commands) {
    if (await fails([...command, ...more], tools, signal)) process.exitCode = 1;
  }
});

/** Runs one of the tools in the root of the project. @returns whether it has found something. */
async function fails(command: string[], { python, env }: PythonTools, signal: AbortSignal): Promise<boolean> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const child = spawn(python, ['-m', ...command], {
    cwd,
    env,
    signal,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code !== 0;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

/** How long a cancelled script may take to end, in ms: the runner kills us after 7.5 s. */
const END_MS = 5000;

/**
 * Runs a script as `run` of a step with `shell: bash` does. When the job is cancelled, ends the script with all its
 * children, and then this process; the post step does the rest.
 * @returns the exit code, or 128 plus the number of the signal that killed it.
 */
export async function runScript(script: string, folder: string): Promise<number> {
  const file = join(folder, 'run.sh');
  writeFileSync(file, script, { mode: 0o600 });
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', file];
  const child = spawn('bash', args, { stdio: 'inherit', detached: true });
  const end = (signal: NodeJS.Signals) => process.kill(-(child.pid ?? 0), signal);
  let cancelledBy: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!cancelledBy) setTimeout(() => end('SIGKILL'), END_MS);
      cancelledBy ??= signal;
      end(signal);
    });
  }
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (cancelledBy) process.exit(128 + constants.signals[cancelledBy]);
  return code ?? 128 + (killedBy ? constants.signals[killedBy] : 0);
}

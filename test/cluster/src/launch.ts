import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UserError } from '../../../scripts/lib/util/error.ts';
import { PATH } from './containers/system-path.ts';

export interface Launched {
  /** A port of the machine's 127.0.0.1, which the process inside serves. */
  port: number;
  /** The first line that it prints, which means that it is ready; rejects if it ends before. */
  firstLine: Promise<string>;
  /** Resolves with its exit code, once it and everything in it has ended. */
  exited: Promise<number>;
  stop(): Promise<void>;
}

/** The new namespaces; the user namespace lets an ordinary user make the others. */
const NAMESPACES = ['--user', '--map-root-user', '--net', '--mount', '--mount-proc', '--pid', '--uts'];

/**
 * Mounts a private /run and private terminals. The shell stays pid 1, because it reaps orphans and Node does not: a zombie
 * would keep its container's pid namespace for ever.
 */
const PREPARE = `
mount -t tmpfs -o mode=755 tmpfs /run &&
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /dev/pts &&
"$@"
exit $?`;

/**
 * Runs a TypeScript file as root in new namespaces, with a listening socket of the machine's network as descriptor 3.
 * It must end when its stdin ends, so that it never outlives this process.
 * @throws UserError when the machine does not allow it.
 */
export async function launch(entry: string, ...args: string[]): Promise<Launched> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  await assertAllowed().catch((error: unknown) => {
    listener.close();
    throw error;
  });
  const command = [process.execPath, '--import', import.meta.resolve('tsx'), entry, ...args];
  const child = spawn(
    'unshare',
    [...NAMESPACES, '--fork', '--kill-child', 'sh', '-c', PREPARE, 'sh', ...command],
    // In its own session: a Ctrl-C must not end the cluster before this process is done with it.
    {
      stdio: ['pipe', 'pipe', 'inherit', findDescriptor(listener)],
      env: { ...process.env, PATH: `${process.env.PATH}:${PATH}` },
      detached: true,
    },
  );
  listener.close();
  const exited = once(child, 'exit').then(([code, signal]) => (signal ? 128 : (code as number)));
  child.stdin?.on('error', () => undefined);
  return {
    port,
    firstLine: readFirstLine(child.stdout as Readable),
    exited,
    stop: async () => {
      child.stdin?.end();
      const kill = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(kill);
    },
  };
}

function findDescriptor(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

async function readFirstLine(output: Readable): Promise<string> {
  const line = await new Promise<string | undefined>((resolve) => {
    const lines = createInterface(output);
    lines.once('line', resolve).once('close', () => resolve(undefined));
  });
  // Later output is dropped, so that it does not block the process.
  output.resume();
  if (line === undefined) throw new Error('the pocket cluster ended before it was ready');
  return line;
}

/** Tries the namespaces once, for an error that says what to do. */
async function assertAllowed(): Promise<void> {
  const child = spawn('unshare', [...NAMESPACES, '--fork', 'sh', '-c', PREPARE, 'sh', 'ip', '-V'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:${PATH}` },
  });
  let words = '';
  child.stderr.on('data', (data) => {
    words += data;
  });
  const code = await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  if (code === 0) return;
  if (code instanceof Error)
    throw new UserError(`the pocket cluster needs unshare (util-linux): ${code.message}`);
  throw new UserError(
    `the pocket cluster cannot make namespaces: ${remedy() ?? words.trim().split('\n')[0]}`,
  );
}

/** How to undo the settings by which distributions forbid user namespaces; undefined if none is set. */
function remedy(): string | undefined {
  const is = (name: string, value: string) => {
    const path = `/proc/sys/${name}`;
    return existsSync(path) && readFileSync(path, 'utf8').trim() === value;
  };
  if (is('kernel/apparmor_restrict_unprivileged_userns', '1') && process.getuid?.() !== 0)
    return 'AppArmor forbids it; run: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
  if (is('kernel/unprivileged_userns_clone', '0'))
    return 'the kernel forbids it; run: sudo sysctl -w kernel.unprivileged_userns_clone=1';
  if (is('user/max_user_namespaces', '0'))
    return 'the kernel forbids it; run: sudo sysctl -w user.max_user_namespaces=15000';
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv'))
    return 'this container is not allowed to; run it with --privileged';
  return undefined;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The node's address: probes and Services reach the pods from it. */
const NODE_IP = '10.244.0.1';

/** A pod's network. */
export interface Sandbox {
  ip: string;
  /** The path of its network namespace; undefined for the cluster's own. */
  namespace: string | undefined;
  /** The process that connects to its localhost, started when first needed. */
  relay?: Promise<Relay>;
  remove(): Promise<void>;
}

interface Relay {
  path: string;
  process: ChildProcess;
}

/** The network of pods with hostNetwork: the cluster's own. */
export const hostSandbox: Sandbox = { ip: NODE_IP, namespace: undefined, remove: async () => undefined };

/** Turns the cluster's namespace into a node, which routes between pods and owns all ClusterIPs. */
export async function prepareNetwork(): Promise<void> {
  mkdirSync('/run/pocket/relay', { recursive: true });
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  await ip([
    'link set lo up',
    `address add ${NODE_IP}/32 dev lo`,
    'route add local 10.96.0.0/16 dev lo',
    'route add unreachable 10.244.0.0/16',
  ]);
}

/** Makes a pod's network namespace, with a veth pair to the node's. */
export async function createSandbox(id: string, address: string): Promise<Sandbox> {
  await ip([
    `netns add ${id}`,
    `link add veth${id} type veth peer name eth0 netns ${id}`,
    `link set veth${id} up`,
    `route add ${address}/32 dev veth${id} src ${NODE_IP}`,
  ]);
  const inside = [
    'link set lo up',
    `address add ${address}/32 dev eth0`,
    'link set eth0 up',
    `route add ${NODE_IP}/32 dev eth0 src ${address}`,
    `route add default via ${NODE_IP} src ${address}`,
  ];
  await ip(inside, ['-netns', id]);
  const sandbox: Sandbox = {
    ip: address,
    namespace: `/run/netns/${id}`,
    remove: async () => {
      const relay = await sandbox.relay?.catch(() => undefined);
      relay?.process.kill('SIGKILL');
      if (relay) rmSync(relay.path, { force: true });
      await ip([`link delete veth${id}`, `netns delete ${id}`]);
    },
  };
  return sandbox;
}

/**
 * Connects to a port of a pod's localhost.
 * @throws Error worded as containerd's port-forward.
 */
export async function dial(sandbox: Sandbox, port: number): Promise<Duplex> {
  const { namespace } = sandbox;
  if (namespace) sandbox.relay ??= startRelay(namespace);
  const relay = await sandbox.relay;
  const socket = connect({
    ...(relay ? { path: relay.path } : { port, host: '127.0.0.1' }),
    allowHalfOpen: true,
  });
  const refusal = await (relay ? ask(socket, port) : answer(socket));
  if (refusal === undefined) return socket;
  socket.destroy();
  throw new Error(
    `failed to connect to localhost:${port} inside namespace "${namespace ?? 'host'}", IPv4: dial tcp4 127.0.0.1:${port}: ${refusal}`,
  );
}

/** Asks the relay for a port; resolves with an error, or undefined when connected. */
async function ask(socket: Socket, port: number): Promise<string | undefined> {
  socket.write(`${port}\n`);
  return await new Promise((resolve) => {
    socket.once('error', ({ message }) => resolve(message));
    socket.once('readable', function read() {
      const line: Buffer | null = socket.read(1);
      if (!line) return void socket.once('readable', read);
      resolve(line.toString() === '+' ? undefined : 'connect: connection refused');
    });
  });
}

async function answer(socket: Socket): Promise<string | undefined> {
  return await new Promise((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('error', () => resolve('connect: connection refused'));
  });
}

/** Starts the process that serves all connections to a pod's localhost. */
async function startRelay(namespace: string): Promise<Relay> {
  const path = `/run/pocket/relay/${basename(namespace)}`;
  const script = fileURLToPath(new URL('relay.mjs', import.meta.url));
  const child = spawn('nsenter', [`--net=${namespace}`, process.execPath, script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { path, process: child };
}

/** Runs several ip(8) commands in one process. */
async function ip(commands: string[], options: string[] = []): Promise<void> {
  const child = spawn('ip', [...options, '-batch', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end(`${commands.join('\n')}\n`);
  const [words, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  if (code !== 0) throw new Error(`ip -batch ended with ${code}: ${words}`);
}

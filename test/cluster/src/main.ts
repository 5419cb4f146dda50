// The cluster itself, one process inside its own namespaces. launch() starts it. It prints one line of JSON with what a
// kubeconfig needs, and runs until its stdin ends.
import { randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';
import { apiServer } from './api/server.ts';
import { run } from './controllers/controller.ts';
import { controllers } from './controllers/index.ts';
import { prepareNetwork } from './network/sandbox.ts';
import { followServices } from './node/kube-proxy.ts';
import { Kubelet } from './node/kubelet.ts';
import { Registry } from './store/registry.ts';

/** The API's listening socket, which launch() opened on the machine's network. */
const API_FD = 3;

await prepareNetwork();
const registry = new Registry();
const kubelet = new Kubelet(registry);
for (const controller of controllers) run(controller, registry);
followServices(registry);
registry.create('nodes', { metadata: { name: 'pocket', labels: { 'kubernetes.io/hostname': 'pocket' } } });
registry.modify(
  'nodes',
  registry.list('nodes')[0] as never,
  (node) => {
    node.status = nodeStatus();
  },
  { subresource: 'status' },
);
for (const name of ['default', 'kube-system']) registry.create('namespaces', { metadata: { name } });

const token = randomBytes(32).toString('hex');
const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
const pems = await generate([{ name: 'commonName', value: 'pocket cluster' }], {
  keySize: 2048,
  extensions: [{ name: 'subjectAltName', altNames }],
});
const server = apiServer({ registry, kubelet, token }, { key: pems.private, cert: pems.cert });
server.listen({ fd: API_FD }, () =>
  process.stdout.write(`${JSON.stringify({ certificate: pems.cert, token })}\n`),
);
process.stdin.resume().on('end', () => process.exit());

function nodeStatus(): object {
  const resources = { cpu: '16', memory: '32Gi', pods: '250' };
  return {
    capacity: resources,
    allocatable: resources,
    conditions: [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the pocket cluster is ready' },
    ],
    addresses: [
      { type: 'InternalIP', address: '10.244.0.1' },
      { type: 'Hostname', address: 'pocket' },
    ],
    nodeInfo: { kubeletVersion: 'v1.33.0+pocket' },
  };
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Capture, flowsIn } from './capture.ts';
import { autoscaling, hasEphemeral, hasNativeSidecars, policy } from './cluster.ts';
import { Namespace } from './namespace.ts';
import {
  bringPeers,
  everything,
  everythingService,
  PORTS,
  showsEverything,
  speakEverything,
  type Workload,
} from './peers.ts';

// Every kind of workload, with and without a restart, speaks everything while it is tapped.

const shop = new Namespace();
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));

before(async () => {
  await shop.create();
  await bringPeers(shop);
});
after(async () => {
  await shop.delete();
  rmSync(folder, { recursive: true });
});

interface Row {
  what: string;
  /** Of this name; what is to be as it was is the first of each. */
  objects(name: string): object[];
  /** Flags that a tap with a restart needs; undefined where there is none. */
  sidecar?: string[];
  /** Whether its own rollouts lose no request. */
  isCareful?: boolean;
  /** How many pods an autoscaler makes of the Deployment. */
  scaledTo?: number;
  skip?: string | false;
}

const ROWS: Row[] = [
  { what: 'a Deployment', objects: (name) => [everything({ name })], sidecar: [], isCareful: true },
  {
    what: 'a Deployment that keeps all its pods while it rolls, and a disruption budget',
    objects: (name) => [
      everything({ name, spec: { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } } }),
      budget(name),
    ],
    sidecar: [],
    isCareful: true,
  },
  {
    what: 'a StatefulSet',
    objects: (name) => [everything({ name, kind: 'StatefulSet' })],
    sidecar: [],
    isCareful: true,
  },
  { what: 'a DaemonSet', objects: (name) => [everything({ name, kind: 'DaemonSet' })], sidecar: [] },
  {
    what: 'a StatefulSet whose pods are replaced by hand, and a disruption budget',
    objects: (name) => [
      everything({ name, kind: 'StatefulSet', spec: { updateStrategy: { type: 'OnDelete' } } }),
      budget(name),
    ],
    sidecar: ['--replace-pods'],
    isCareful: true,
  },
  {
    what: 'a ReplicaSet that no Deployment owns',
    objects: (name) => [{ ...everything({ name }), kind: 'ReplicaSet' }],
    sidecar: ['--replace-pods'],
    isCareful: true,
  },
  {
    what: 'two workloads, of which one is scaled up by an autoscaler',
    objects: (name) => [
      everything({ name, replicas: 1 }),
      alike(everything({ name, kind: 'StatefulSet', replicas: 1 }), 'other'),
      autoscaler(name),
    ],
    sidecar: [],
    scaledTo: 2,
  },
  {
    what: 'a Deployment with a native sidecar',
    objects: (name) => [everything({ name, nativeSidecar: true })],
    sidecar: [],
    isCareful: true,
    skip: hasNativeSidecars ? false : 'this Kubernetes has no native sidecars',
  },
  { what: 'pods that nobody owns', objects: (name) => [barePod(name, 'one'), barePod(name, 'two')] },
  { what: 'the pod of a Job', objects: (name) => [job(name)] },
];

describe('a Service', { concurrency: 2 }, () => {
  for (const [index, row] of ROWS.entries()) {
    const name = `app${index}`;
    if (row.sidecar)
      it(`in front of ${row.what} shows every protocol, and is restored`, { skip: row.skip }, async () => {
        await tapRow(`${name}s`, row, row.sidecar ?? [], row.isCareful ?? false);
      });
    it(`in front of ${row.what} shows every protocol without a restart, and is restored`, {
      skip: skipEphemeral(row),
    }, async () => {
      await tapRow(`${name}e`, row, ['--no-restart'], true);
    });
  }
});

async function tapRow(name: string, row: Row, flags: string[], isCareful: boolean): Promise<void> {
  await everythingService(shop, name);
  const objects = row.objects(name) as Workload[];
  await shop.apply(...objects);
  await shop.answers(name);
  if (row.scaledTo)
    await shop.kubectl(
      'wait',
      `deployment/${name}`,
      `--for=jsonpath={.status.readyReplicas}=${row.scaledTo}`,
    );
  const workloads = objects.filter(({ kind }) => !ASIDE.includes(kind));
  const names = [`service/${name}`, ...workloads.map(formatName)];
  const original = await shop.snapshot(...names);
  const load = isCareful ? await shop.load(name, 10) : undefined;
  const ports = PORTS.flatMap(({ name }) => ['--port', name]);
  const capture = new Capture(
    shop,
    join(folder, `${name}.mitm`),
    name,
    ...ports,
    '--tls-secret',
    `${name}-tls`,
    ...flags,
  );
  await capture.records('/begin');
  await speakEverything(shop, name);
  const { code, stderr } = await capture.stop();
  assert.equal(code, 130, stderr);
  assert.deepEqual((await load?.stop())?.failed ?? [], []);
  showsEverything(await flowsIn(capture.file));
  assert.deepEqual(await shop.snapshot(...names), original);
  await shop.kubectl('delete', `service/${name}`, ...objects.map(formatName), '--wait=false');
}

/** Nothing is tapped of these, and their controllers write to them. */
const ASIDE = ['PodDisruptionBudget', 'HorizontalPodAutoscaler'];

function formatName({ kind, metadata }: Workload): string {
  return `${kind.toLowerCase()}/${metadata.name}`;
}

function skipEphemeral({ skip }: Row): string | false {
  return skip || (hasEphemeral ? false : 'this Kubernetes has no ephemeral containers');
}

function budget(name: string): object {
  return {
    apiVersion: policy,
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
  };
}

function autoscaler(name: string): object {
  return {
    apiVersion: autoscaling,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 2,
      maxReplicas: 3,
    },
  };
}

/** The same workload under another name, with pods of the same labels besides one of their own. */
function alike(workload: Workload, suffix: string): object {
  const { spec, metadata } = workload;
  const { template } = spec;
  const labels = { ...template.metadata.labels, part: suffix };
  return {
    ...workload,
    metadata: { ...metadata, name: `${metadata.name}-${suffix}` },
    spec: {
      ...spec,
      selector: { matchLabels: { part: suffix } },
      template: { ...template, metadata: { labels } },
    },
  };
}

function barePod(name: string, suffix: string): object {
  const { metadata, spec } = everything({ name }).spec.template;
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: `${name}-${suffix}` }, spec };
}

function job(name: string): object {
  const { metadata, spec } = everything({ name }).spec.template;
  const template = { metadata, spec: { ...spec, restartPolicy: 'Never' } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template } };
}

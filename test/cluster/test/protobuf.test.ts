import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodeProtobuf } from '../src/api/protobuf.ts';
import { StatusError } from '../src/objects/status.ts';
import { recordBodies } from './body-recorder.ts';

// -- kubectl is the oracle: of what it sends, it also prints the JSON

const recorder = await recordBodies();
after(() => recorder.stop());

const CREATED = [
  'namespace shop',
  'deployment web --image=node:20 --replicas=0 --port=8080',
  'deployment web --image=a -n shop -- sh -c true',
  'deployment web --image=a --image=b',
  'configmap c --from-literal=a= --from-literal=b=é',
  'configmap c --from-file=FILE',
  'secret generic s --from-literal=a=b --from-file=FILE',
  'secret docker-registry s --docker-username=u --docker-password=p',
  'serviceaccount a',
  'role r --verb=get,list --resource=pods,deployments.apps --resource-name=web',
  'rolebinding r --role=r --user=u --group=g --serviceaccount=shop:a',
  'clusterrole r --verb=get --non-resource-url=/healthz',
  'clusterrole r --verb=* --resource=pods/exec',
  'clusterrolebinding r --clusterrole=r --group=g',
  'quota q --hard=cpu=1500m,memory=2Gi,pods=0',
  'job j --image=a -- sh -c true',
  'poddisruptionbudget p --selector=a=b --min-available=50%',
  'poddisruptionbudget p --selector=a=b --max-unavailable=0',
  'service clusterip s --tcp=80:http --tcp=81:8081',
  'service clusterip s --clusterip=None',
  'service nodeport s --tcp=80 --node-port=30080',
  'service loadbalancer s --tcp=5678:8080',
  'service externalname s --external-name=example.com',
];

const first = await recorder.recordBody(['create', 'namespace', 'x']);
const reason = !first
  ? 'there is no kubectl that works'
  : !/protobuf/.test(first.contentType) && 'the kubectl here sends JSON';

describe(`what kubectl sends as protobuf${reason ? ` (skipped: ${reason})` : ''}`, {
  skip: Boolean(reason),
}, () => {
  // With bytes that are not UTF-8, which kubectl puts among binaryData.
  const file = join(recorder.directory, 'bytes');
  writeFileSync(file, Buffer.from([0, 255, 128, 10]));
  for (const command of CREATED) {
    it(`is what it prints: create ${command}`, async () => {
      const args = command.replace('FILE', file).split(' ');
      const printed = await recorder.kubectl(['create', '--dry-run=client', '-o', 'json', ...args]);
      const sent = await recorder.recordBody(['create', ...args]);
      assert.match(sent?.contentType ?? '', /protobuf/);
      assert.deepEqual(decodeProtobuf(sent?.body ?? Buffer.alloc(0)), withoutNulls(JSON.parse(printed)));
    });
  }
});

/** In Go's JSON a null stands for what is not set, as an absent field does. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (part === null ? undefined : part)));
}

// -- bodies that were recorded, so that these tests do not depend on the kubectl here

/** What kubectl 1.33 sent. */
const SENT = {
  // kubectl create deployment web --image=node:20 --replicas=0 --port=8080
  deployment:
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAASDAoKCgNhcHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoEbm9kZRIHbm9kZToyMCoAMgsKABAAGJA/IgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==',
  // kubectl create secret generic s --from-literal=p=q
  secret: 'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA=',
  // kubectl auth can-i get pods -n shop
  review:
    'azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSOQoQCgASABoAIgAqADIAOABCABIbChkKBHNob3ASA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=',
  // kubectl auth whoami
  whoami:
    'azhzAAotChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESEVNlbGZTdWJqZWN0UmV2aWV3EhoKEAoAEgAaACIAKgAyADgAQgASBgoECgASABoAIgA=',
  // kubectl create quota small --hard=cpu=1
  quota: 'azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRInChUKBXNtYWxsEgAaACIAKgAyADgAQgASDAoKCgNjcHUSAwoBMRoAGgAiAA==',
  // kubectl create service clusterip web --tcp=80:http
  service:
    'azhzAAoNCgJ2MRIHU2VydmljZRJsCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkUKHgoHODAtaHR0cBIDVENQGFAiCggBEAAaBGh0dHAoABIKCgNhcHASA3dlYhoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==',
  // kubectl drain, for each pod
  deletion: 'azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIAGgAiAA==',
};

/** What Go's client writes of objects that kubectl sends as JSON. */
const WRITTEN = {
  deployment:
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EvwDCjYKA3dlYhIAGgAiACoAMgA4AEIICMDjga8GEABQAGoXCglDb25maWdNYXAaAWMiAXUqAnYxMAASiwMSHgoKCgNhcHASA3dlYhIQCgR0aWVyEgJJbhoBYRoBYhrLAgocCgASABoAIgAqADIAOABCAFoKCgNhcHASA3dlYhKqAgocCgRjb25mEhSaAREKAwoBYxIICgFrEgFwGAAgAAoSCgN0bXASCxIJCgASBQoDMUdpEsYBCgNhcHASBWFwcDoxGgNydW4aACoAMg8KBGh0dHAQABiQPyIAKgA6CQoFRU1QVFkSADoaCghQQVNTV09SRBIAGgwiCgoDCgFzEgFrGABCDwoNCgNjcHUSBgoENTAwbUoRCgN0bXAQABoEL3RtcCIAMgBaIQoVEhMKAS8SCggBEAAaBGh0dHAaACIAEAAYACABKAAwAGIOEgwKCgoFc2xlZXAKATFqAHIAegQgADAAgAEAiAEAkAEAmgEJCgASBQoDCgFjogEAGgAyAEIASgBSAFgAYABoAIIBAIoBAJoBALIBEAoAEgZFeGlzdHMaACIAKADCAQAiFwoAEhMKBggAEAAaABIJCAEQABoDMjUlKAA4ABo0CP///////////wEQABgAIAAoADIdCglBdmFpbGFibGUSBFRydWUiACoAMgA6BAgAEAA4ABoAIgA=',
  event:
    'azhzAAoLCgJ2MRIFRXZlbnQSTwoRCgFlEgAaACIAKgAyADgAQgASDgoAEgAaACIAKgAyADoAGgAiACoECgASADIICMDjga8GEAA6AEAASgBSCgjA44GvBhDgxltiAHIAegAaACIA',
  // With an affinity.
  pod: 'azhzAAoJCgJ2MRIDUG9kEkkKEQoBcBIAGgAiACoAMgA4AEIAEh8aADIAQgBKAFIAWABgAGgAggEAigEAkgEAmgEAwgEAGhMKABoAIgAqADIASgBaAHIAiAEAGgAiAA==',
};

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
const decoded = (text: string): any => decodeProtobuf(Buffer.from(text, 'base64'));

describe('a body in protobuf', () => {
  it('becomes a Deployment, with the zero that was asked for', () => {
    const { kind, apiVersion, spec } = decoded(SENT.deployment);
    assert.deepEqual([apiVersion, kind, spec.replicas], ['apps/v1', 'Deployment', 0]);
    assert.deepEqual(spec.selector, { matchLabels: { app: 'web' } });
    assert.deepEqual(spec.template.spec.containers, [
      { name: 'node', image: 'node:20', ports: [{ containerPort: 8080 }], resources: {} },
    ]);
  });

  it('becomes a Secret, whose data is base64', () => {
    assert.deepEqual(decoded(SENT.secret).data, { p: Buffer.from('q').toString('base64') });
  });

  it('becomes the questions of auth', () => {
    const { spec } = decoded(SENT.review);
    assert.deepEqual(spec, { resourceAttributes: { namespace: 'shop', verb: 'get', resource: 'pods' } });
    assert.equal(decoded(SENT.whoami).kind, 'SelfSubjectReview');
  });

  it('becomes a quota', () => {
    assert.deepEqual(decoded(SENT.quota).spec, { hard: { cpu: '1' } });
  });

  it('becomes a Service, with a targetPort by name', () => {
    const { ports, type } = decoded(SENT.service).spec;
    assert.equal(type, 'ClusterIP');
    assert.deepEqual(ports, [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http' }]);
  });

  it('becomes the options of a deletion', () => {
    assert.deepEqual(decoded(SENT.deletion), { apiVersion: 'v1', kind: 'DeleteOptions' });
  });

  it('becomes all of a pod template that this cluster knows, its explicit zeros too', () => {
    const { spec } = decoded(WRITTEN.deployment);
    const pod = spec.template.spec;
    const [container] = pod.containers;
    assert.deepEqual(pod.volumes, [
      { name: 'conf', configMap: { name: 'c', items: [{ key: 'k', path: 'p', mode: 0 }], optional: false } },
      { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
    ]);
    assert.deepEqual(container.env, [
      { name: 'EMPTY' },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } },
    ]);
    assert.deepEqual(container.command, ['run', '']);
    assert.deepEqual(container.envFrom, [{ configMapRef: { name: 'c' } }]);
    assert.deepEqual(container.readinessProbe, { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 });
    assert.deepEqual(container.lifecycle, { preStop: { exec: { command: ['sleep', '1'] } } });
    assert.deepEqual(container.securityContext, { runAsUser: 0, readOnlyRootFilesystem: false });
    assert.deepEqual(pod.tolerations, [{ operator: 'Exists', tolerationSeconds: 0 }]);
    assert.deepEqual(spec.strategy, { rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } });
  });

  it('becomes a pod with a sidecar and an ephemeral container, and an autoscaler', () => {
    const sidecar = [field(1, 'side'), field(24, 'Always')];
    const tap = [field(1, field(1, 'tap'), field(2, 'node:20')), field(2, 'app')];
    const spec = field(2, field(20, ...sidecar), field(34, ...tap));
    assert.deepEqual(decodeProtobuf(message('v1', 'Pod', spec)), {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      spec: {
        initContainers: [{ name: 'side', restartPolicy: 'Always' }],
        ephemeralContainers: [{ name: 'tap', image: 'node:20', targetContainerName: 'app' }],
      },
    });
    const resource = field(4, field(1, 'cpu'), field(2, field(1, 'Utilization'), Buffer.from([4 << 3, 80])));
    const target = field(1, field(1, 'Deployment'), field(2, 'web'));
    const bounds = field(
      2,
      target,
      Buffer.from([2 << 3, 2, 3 << 3, 5]),
      field(4, field(1, 'Resource'), resource),
    );
    const autoscaler = decodeProtobuf(message('autoscaling/v2', 'HorizontalPodAutoscaler', bounds));
    assert.deepEqual((autoscaler as { spec: object }).spec, {
      ...{ scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 2, maxReplicas: 5 },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
    });
  });

  it('becomes times, metadata and a status', () => {
    const { metadata, status } = decoded(WRITTEN.deployment);
    assert.deepEqual(metadata, {
      name: 'web',
      creationTimestamp: '2024-02-29T12:00:00Z',
      deletionGracePeriodSeconds: 0,
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u', controller: false }],
    });
    const condition = { type: 'Available', status: 'True', lastTransitionTime: '1970-01-01T00:00:00Z' };
    assert.deepEqual(status, { observedGeneration: -1, conditions: [condition] });
    const { firstTimestamp, lastTimestamp, eventTime } = decoded(WRITTEN.event);
    assert.deepEqual(
      [firstTimestamp, lastTimestamp, eventTime],
      ['2024-02-29T12:00:00Z', undefined, '2024-02-29T12:00:00.001500Z'],
    );
  });

  it('is refused when it is of a kind, or has a field, that is not known', () => {
    const job = envelope(Buffer.from([10, 2, ...Buffer.from('v1'), 18, 7, ...Buffer.from('CronJob')]));
    refuses(job, 501, 'the pocket cluster does not do CronJob as protobuf');
    refuses(
      Buffer.from(WRITTEN.pod, 'base64'),
      501,
      'the pocket cluster does not do field 18 of PodSpec as protobuf',
    );
  });

  it('is refused when it is no protobuf, or is cut off', () => {
    refuses(Buffer.from('{}'), 400, /expected prefix \[107 56 115 0\]$/);
    refuses(Buffer.from(SENT.deployment, 'base64').subarray(0, 100), 400, /unexpected EOF$/);
  });
});

/** A field of a message, of less than 128 bytes: a text, or the fields of a message in it. */
function field(number: number, ...parts: (string | Buffer)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const tag = (number << 3) | 2;
  return Buffer.from([...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), bytes.length, ...bytes]);
}

function message(apiVersion: string, kind: string, object: Buffer): Buffer {
  const typeMeta = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([envelope(typeMeta), field(2, object)]);
}

function envelope(typeMeta: Buffer): Buffer {
  return Buffer.from([...Buffer.from('k8s\0'), 10, typeMeta.length, ...typeMeta]);
}

function refuses(body: Buffer, code: number, message: string | RegExp): void {
  assert.throws(
    () => decodeProtobuf(body),
    (error: unknown) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, code);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

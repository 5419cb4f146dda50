import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodeProtobuf } from '../src/api/protobuf.ts';
import { StatusError } from '../src/objects/status.ts';
import { recordBodies } from './body-recorder.ts';

// -- kubectl is the oracle: it also prints as JSON what it sends

const recorder = await recordBodies();
after(() => recorder.stop());

const CREATED = [
  'namespace shop',
  'deployment web --image=node:20 --replicas=0 --port=8080',
  'deployment web --image=a -n shop -- sh -c true',
  'deployment web --image=a --image=b',
  'configmap c --from-literal=a= --from-literal=b=é --from-literal=__proto__=c',
  'configmap c --from-file=FILE',
  'secret generic s --from-literal=a=b --from-file=FILE',
  'secret docker-registry s --docker-username=u --docker-password=p',
  'role r --verb=get,list --resource=pods,deployments.apps --resource-name=web',
  'rolebinding r --role=r --user=u --group=g --serviceaccount=shop:a',
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
  // Its bytes are not UTF-8, so kubectl puts them into binaryData.
  const file = join(recorder.directory, 'bytes');
  writeFileSync(file, Buffer.from([0, 255, 128, 10]));
  for (const command of CREATED) {
    it(`decodes to what kubectl prints: create ${command}`, async () => {
      const args = command.replace('FILE', file).split(' ');
      const printed = await recorder.kubectl(['create', '--dry-run=client', '-o', 'json', ...args]);
      const sent = await recorder.recordBody(['create', ...args]);
      assert.match(sent?.contentType ?? '', /protobuf/);
      assert.deepEqual(decodeProtobuf(sent?.body ?? Buffer.alloc(0)), withoutNulls(JSON.parse(printed)));
    });
  }
});

/** Go's JSON has null for what is not set, which means the same as no field. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (part === null ? undefined : part)));
}

// -- bodies that were recorded, so that these tests do not depend on the kubectl of this machine

/** Bodies that kubectl 1.33 sent. */
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
  // kubectl create service clusterip web --tcp=80:http
  service:
    'azhzAAoNCgJ2MRIHU2VydmljZRJsCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkUKHgoHODAtaHR0cBIDVENQGFAiCggBEAAaBGh0dHAoABIKCgNhcHASA3dlYhoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==',
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

  it('becomes the question of `kubectl auth can-i`', () => {
    const { spec } = decoded(SENT.review);
    assert.deepEqual(spec, { resourceAttributes: { namespace: 'shop', verb: 'get', resource: 'pods' } });
  });

  it('becomes a Service, with a targetPort by name', () => {
    const { ports, type } = decoded(SENT.service).spec;
    assert.equal(type, 'ClusterIP');
    assert.deepEqual(ports, [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http' }]);
  });

  it('becomes metadata with a time, and quantities', () => {
    const metadata = field(1, field(1, 'web'), field(8, Buffer.from([8, ...varint(1_709_208_000)])));
    const resources = field(8, field(1, field(1, 'cpu'), field(2, field(1, '50m'))));
    const template = field(3, field(2, field(2, field(1, 'app'), resources)));
    assert.deepEqual(decodeProtobuf(message('apps/v1', 'Deployment', metadata, field(2, template))), {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { name: 'web', creationTimestamp: '2024-02-29T12:00:00Z' },
      spec: { template: { spec: { containers: [{ name: 'app', resources: { limits: { cpu: '50m' } } }] } } },
    });
  });

  it('is refused when its kind is not known', () => {
    const body = Buffer.from(SENT.whoami, 'base64');
    refuses(body, 501, 'the pocket cluster does not do SelfSubjectReview as protobuf');
  });

  it('is refused when a message in it has a field that is not known, which would be lost', () => {
    const affinity = field(2, field(3, field(2, field(18, ''))));
    const what = 'a field that kubernetes.proto lacks, in a Deployment as protobuf';
    refuses(message('apps/v1', 'Deployment', affinity), 501, `the pocket cluster does not do ${what}`);
  });

  it('is refused when it is not protobuf, or is cut off', () => {
    refuses(Buffer.from('{}'), 400, /expected prefix \[107 56 115 0\]$/);
    refuses(Buffer.from(SENT.deployment, 'base64').subarray(0, 100), 400, /unexpected EOF$/);
  });
});

/** Encodes a field of less than 128 bytes: a text, or the fields of a nested message. */
function field(number: number, ...parts: (string | Buffer)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.from([...varint((number << 3) | 2), bytes.length, ...bytes]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function message(apiVersion: string, kind: string, ...fields: Buffer[]): Buffer {
  const typeMeta = field(1, field(1, apiVersion), field(2, kind));
  return Buffer.concat([Buffer.from('k8s\0'), typeMeta, field(2, ...fields)]);
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

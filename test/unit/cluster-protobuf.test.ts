import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeProtobuf } from '../cluster/protobuf.ts';

/** Bodies that kubectl 1.33 sent. */
const BODIES = {
  // kubectl create deployment web --image=node:20 --replicas=0 --port=8080
  deployment:
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAASDAoKCgNhcHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoEbm9kZRIHbm9kZToyMCoAMgsKABAAGJA/IgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==',
  // kubectl create secret generic s --from-literal=p=q
  secret: 'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA=',
  // kubectl auth can-i get pods -n shop
  review:
    'azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSOQoQCgASABoAIgAqADIAOABCABIbChkKBHNob3ASA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=',
  // kubectl create quota small --hard=cpu=1
  quota: 'azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRInChUKBXNtYWxsEgAaACIAKgAyADgAQgASDAoKCgNjcHUSAwoBMRoAGgAiAA==',
  // kubectl create service clusterip web --tcp=80:http
  service:
    'azhzAAoNCgJ2MRIHU2VydmljZRJsCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkUKHgoHODAtaHR0cBIDVENQGFAiCggBEAAaBGh0dHAoABIKCgNhcHASA3dlYhoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==',
};

const decoded = (name: keyof typeof BODIES) => decodeProtobuf(Buffer.from(BODIES[name], 'base64'));

describe('a body of kubectl in protobuf', () => {
  it('becomes a Deployment, with the zero that was asked for', () => {
    const { kind, apiVersion, spec } = decoded('deployment') as {
      kind: string;
      apiVersion: string;
      spec: { replicas: number; selector: object; template: { spec: { containers: object[] } } };
    };
    assert.deepEqual([apiVersion, kind], ['apps/v1', 'Deployment']);
    assert.equal(spec.replicas, 0);
    assert.deepEqual(spec.selector, { matchLabels: { app: 'web' } });
    const { containers } = spec.template.spec;
    assert.deepEqual(containers, [
      { name: 'node', image: 'node:20', ports: [{ containerPort: 8080 }], resources: {} },
    ]);
  });

  it('becomes a Secret, whose data is base64', () => {
    assert.deepEqual((decoded('secret') as { data: object }).data, {
      p: Buffer.from('q').toString('base64'),
    });
  });

  it('becomes the question of auth can-i', () => {
    const { spec } = decoded('review') as { spec: object };
    assert.deepEqual(spec, { resourceAttributes: { namespace: 'shop', verb: 'get', resource: 'pods' } });
  });

  it('becomes a quota', () => {
    assert.deepEqual((decoded('quota') as { spec: object }).spec, { hard: { cpu: '1' } });
  });

  it('becomes a Service, with a targetPort by name', () => {
    const { ports, type } = (decoded('service') as { spec: { ports: object[]; type: string } }).spec;
    assert.deepEqual(
      [type, ports],
      ['ClusterIP', [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http' }]],
    );
  });

  it('is refused when it is of a kind that is not known', () => {
    const type = Buffer.from([10, 2, 118, 49, 18, 4, 74, 111, 98, 115]);
    const body = Buffer.concat([Buffer.from('k8s\0'), Buffer.from([10, type.length]), type]);
    assert.throws(() => decodeProtobuf(body), /the pocket cluster does not do Jobs as protobuf/);
  });
});

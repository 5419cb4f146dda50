import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { PodSpec, Service, Workload } from '../../scripts/lib/kube/objects.ts';
import { planTap } from '../../scripts/lib/plan/plan.ts';
import { ANNOTATION, parseRecord } from '../../scripts/lib/plan/record.ts';
import type { TapRequest } from '../../scripts/lib/plan/request.ts';
import { erasePatch, restorePatch, retargetPatch } from '../../scripts/lib/plan/service-patch.ts';
import { sidecarRemovePatch } from '../../scripts/lib/plan/sidecar.ts';
import { UserError } from '../../scripts/lib/util/error.ts';
import { fill, Templates } from '../../scripts/lib/util/template.ts';
import { REQUEST, SIGNATURE, service, state, workload } from './objects.ts';

const templates = new Templates();
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
after(() => rmSync(folder, { recursive: true }));

/** What kubectl's own merge makes of an object and a patch. */
function patched<T>(object: T, type: 'strategic' | 'merge', patch: unknown): T {
  const file = join(folder, 'object.json');
  writeFileSync(file, JSON.stringify(object));
  const args = ['patch', '--local', '-f', file, '--type', type, '-p', JSON.stringify(patch), '-o', 'json'];
  return JSON.parse(execFileSync('kubectl', args, { encoding: 'utf8' })) as T;
}

/** The same object as the API server keeps it: without what is empty, and without the version that every write changes. */
function normal<T extends Service | Workload>(object: T): T {
  const same = patched(object, 'merge', {});
  const pods: Partial<PodSpec> = 'template' in same.spec ? same.spec.template.spec : {};
  if (pods.volumes?.length === 0) delete pods.volumes;
  return { ...same, metadata: { ...same.metadata, resourceVersion: '' } };
}

function inject(object: Workload, request: Partial<TapRequest> = {}): Workload {
  const all = { ...REQUEST, replacePods: true, ...request };
  const { changes } = planTap(state({ workloads: [object] }), all, SIGNATURE, templates);
  return patched(object, 'strategic', changes.inject[0]?.patch);
}

function remove(object: Workload): Workload {
  return patched(object, 'strategic', sidecarRemovePatch(object, 'mittens-web', templates));
}

const names = (object: Workload) => object.spec.template.spec.containers.map(({ name }) => name);

for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']) {
  describe(`the sidecar of a ${kind}`, () => {
    const original = workload(kind);

    it('the sidecar is not the default container of kubectl logs and exec', () => {
      const tapped = inject(original);
      assert.deepEqual(names(tapped), ['app', 'logger', 'mittens-web']);
      assert.deepEqual(
        tapped.spec.template.spec.containers.slice(0, 2),
        original.spec.template.spec.containers,
      );
    });

    it('a sidecar that is injected twice is there once', () => {
      assert.deepEqual(names(inject(inject(original))), ['app', 'logger', 'mittens-web']);
    });

    it('removing the sidecar restores the exact workload', () => {
      assert.deepEqual(normal(remove(inject(original))), normal(original));
    });

    it('removing the sidecar removes the volume of its certificates', () => {
      const tls = { tlsSecret: 'web-tls', clientTlsSecret: 'web-client' };
      for (const object of [original, workload(kind, {}, { volumes: undefined })]) {
        const tapped = inject(object, tls);
        const volume = tapped.spec.template.spec.volumes?.find(({ name }) => name === 'mittens-web');
        assert.ok(volume && 'projected' in volume);
        assert.deepEqual(normal(remove(tapped)), normal(object));
      }
    });

    it('removing the sidecar keeps what someone else has changed', () => {
      const edit = { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:2' }] } } } };
      assert.deepEqual(
        normal(remove(patched(inject(original), 'strategic', edit))),
        normal(patched(original, 'strategic', edit)),
      );
    });
  });
}

describe('the patches of a Service', () => {
  const ports = [
    { name: 'http', port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30080 },
    { name: 'dns', port: 80, protocol: 'UDP', targetPort: 53 },
  ];
  for (const [annotations, mode] of [
    [undefined, 'sidecar'],
    [{ team: 'shop' }, 'sidecar'],
    [{ team: 'shop' }, 'ephemeral'],
  ] as const) {
    const own = annotations ? 'with its own annotations' : 'without annotations';
    it(`the patches restore the exact Service, ${own}, in the mode ${mode}`, () => {
      const original = service({ ports }, annotations);
      const request = { ...REQUEST, mode, ports: ['80'] };
      const { record, changes } = planTap(state({ service: original }), request, SIGNATURE, templates);
      const recorded = patched(original, 'merge', changes.record.patch);
      assert.deepEqual(parseRecord(recorded), record);
      const tapped = patched(recorded, 'merge', retargetPatch(templates, recorded, record));
      assert.deepEqual(
        tapped.spec.ports?.map(({ targetPort }) => targetPort),
        [7777, 53],
      );
      assert.equal(parseRecord(tapped)?.phase, 'on');
      const selector = mode === 'ephemeral' ? { 'tap.mittens.dev/web': record.id } : {};
      assert.deepEqual(tapped.spec.selector, { app: 'web', ...selector });
      const restored = patched(tapped, 'merge', restorePatch(templates, tapped, record));
      assert.equal(parseRecord(restored)?.phase, 'stopping');
      assert.deepEqual(restored.spec, normal(original).spec);
      const erased = patched(restored, 'merge', erasePatch(templates, restored));
      assert.equal(erased.metadata.annotations?.[ANNOTATION], undefined);
      assert.deepEqual(erased.metadata.annotations ?? {}, annotations ?? {});
      assert.deepEqual(erased.spec, normal(original).spec);
    });
  }
});

describe('Templates', () => {
  const own = new Templates(folder);

  it('a template in the folder of the user replaces the built-in one of that name only', () => {
    writeFileSync(join(folder, 'record-remove.yaml'), 'own: ${resourceVersion}');
    assert.deepEqual(own.render('record-remove', { resourceVersion: '7' }), { own: '7' });
    assert.deepEqual(
      own.render('sidecar-remove', { container: 'x', volumes: [] }),
      templates.render('sidecar-remove', { container: 'x', volumes: [] }),
    );
  });

  for (const [what, text, says] of [
    ['is not YAML', 'a: [', /^template record.yaml: /],
    [
      'uses an unknown placeholder',
      'a: ${nope}',
      /^template record.yaml: no value \$\{nope\}; there are record/,
    ],
    ['is empty', '', /^template record.yaml: /],
  ] as const) {
    it(`an error names the template that ${what}`, () => {
      writeFileSync(join(folder, 'record.yaml'), text);
      assert.throws(
        () => own.render('record', { record: '' }),
        (error) => error instanceof UserError && says.test(error.message),
      );
    });
  }

  it('an error names a template folder that does not exist', () => {
    assert.throws(() => new Templates('/no/where'), /there is no folder \/no\/where/);
  });
});

describe('fill', () => {
  it('a placeholder that stands alone keeps the type of its value, one inside a string becomes text', () => {
    assert.deepEqual(fill({ a: '${n}', b: ['x-${n}'] }, { n: 7 }), { a: 7, b: ['x-7'] });
  });

  for (const hostile of ['"}, "b": {', 'a\nb: c', '${n}', '${other}', '__proto__', 'constructor']) {
    it(`a value cannot change the structure of a template: ${JSON.stringify(hostile)}`, () => {
      assert.deepEqual(fill({ a: '${n}', b: 'x${n}' }, { n: hostile, other: 'secret' }), {
        a: hostile,
        b: `x${hostile}`,
      });
    });
  }

  it('a placeholder cannot name an inherited property', () => {
    assert.throws(() => fill('${constructor}', {}), /no value \$\{constructor\}/);
  });
});

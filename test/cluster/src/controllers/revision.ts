import { createHash } from 'node:crypto';
import { type KubeObject, toOwnerReference } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A short hash of a template, as in `pod-template-hash`. */
export function hashTemplate(template: unknown): string {
  const digest = createHash('sha256').update(canonical(template)).digest();
  return [...digest.subarray(0, 10)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** Stores the current template of a StatefulSet or DaemonSet as its newest ControllerRevision. */
export function keepRevision(registry: Registry, set: KubeObject): void {
  const { name, namespace = '' } = set.metadata;
  const known = registry
    .list('controllerrevisions', namespace)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid));
  const newest = Math.max(0, ...known.map(({ revision }) => revision));
  const hash = hashTemplate(set.spec.template);
  const same = known.find(({ metadata }) => metadata.name === `${name}-${hash}`);
  if (same?.revision === newest) return;
  if (same) {
    registry.modify('controllerrevisions', same, (draft) => Object.assign(draft, { revision: newest + 1 }));
    return;
  }
  const labels = { ...set.spec.template.metadata?.labels, 'controller-revision-hash': hash };
  const metadata = { name: `${name}-${hash}`, namespace, labels, ownerReferences: [toOwnerReference(set)] };
  const data = { spec: { template: { ...set.spec.template, $patch: 'replace' } } };
  registry.create('controllerrevisions', { metadata, data, revision: newest + 1 });
}

/** The template of a set at a revision. */
export function templateAt(registry: Registry, set: KubeObject, name: string): unknown {
  const kept = registry.find('controllerrevisions', set.metadata.namespace, name);
  if (!kept) return undefined;
  const { $patch: _, ...template } = kept.data.spec.template;
  return template;
}

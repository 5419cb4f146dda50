import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '../containers/root.ts';
import type { ContainerSpec } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import { ConfigError } from './config-error.ts';

/** The name of a pod's /etc/hosts file beside its volumes: volumes have no dot in their name. */
export const HOSTS = 'etc.hosts';

/**
 * Makes a pod's volumes in a folder: the keys of ConfigMaps and Secrets as files, emptyDirs as empty folders.
 * @throws ConfigError when a ConfigMap or Secret is missing.
 */
export function makeVolumes(registry: Registry, pod: KubeObject, folder: string): void {
  for (const volume of pod.spec.volumes ?? []) {
    const path = join(folder, volume.name);
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o777);
    for (const source of listSources(volume)) {
      const data = readData(registry, pod, volume.name, source);
      if (data) writeFiles(path, data, source);
    }
  }
}

/** A ConfigMap or Secret in a volume, and the names and modes of its files. */
interface Source {
  resource: 'configmaps' | 'secrets';
  name: string;
  optional?: boolean | undefined;
  items?: { key: string; path: string; mode?: number }[];
  defaultMode?: number;
}

function listSources({ configMap, secret, projected }: ContainerSpec): Source[] {
  const { sources = [], defaultMode } = projected ?? {};
  return [
    ...(configMap ? [{ resource: 'configmaps', ...configMap }] : []),
    ...(secret ? [{ resource: 'secrets', ...secret, name: secret.secretName }] : []),
    ...sources.flatMap(({ configMap, secret }: ContainerSpec) => [
      ...(configMap ? [{ resource: 'configmaps', defaultMode, ...configMap }] : []),
      ...(secret ? [{ resource: 'secrets', defaultMode, ...secret }] : []),
    ]),
  ];
}

/**
 * Reads and decodes the data of a ConfigMap or Secret; undefined if it is optional and missing.
 * @throws ConfigError when it is missing.
 */
function readData(
  registry: Registry,
  { metadata: { namespace } }: KubeObject,
  volume: string,
  { resource, name, optional }: Source,
): Record<string, Buffer> | undefined {
  const object = registry.find(resource, namespace, name);
  if (!object && optional) return undefined;
  if (!object) {
    const missing = `${resource === 'secrets' ? 'secret' : 'configmap'} "${name}" not found`;
    throw new ConfigError(`MountVolume.SetUp failed for volume "${volume}" : ${missing}`);
  }
  const encoding = resource === 'secrets' ? 'base64' : 'utf8';
  return { ...decodeAll(object.data, encoding), ...decodeAll(object.binaryData, 'base64') };
}

function decodeAll(data: Record<string, string> = {}, encoding: BufferEncoding): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, encoding)]));
}

function writeFiles(
  folder: string,
  data: Record<string, Buffer>,
  { items, defaultMode = 0o644 }: Source,
): void {
  const files = items ?? Object.keys(data).map((key) => ({ key, path: key, mode: undefined }));
  for (const { key, path, mode } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data[key] ?? '');
    chmodSync(file, mode ?? defaultMode);
  }
}

/** A container's mounts: its volumes, and the pod's /etc/hosts. */
export function listMounts(pod: KubeObject, container: ContainerSpec, folder: string): Mount[] {
  const own = { source: join(folder, HOSTS), target: '/etc/hosts', readOnly: false };
  const mounts = (container.volumeMounts ?? []).map(
    (mount: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }) => {
      const source = join(folder, mount.name, mount.subPath ?? '');
      if (!existsSync(source)) mkdirSync(source, { recursive: true });
      const volume = pod.spec.volumes.find(({ name }: { name: string }) => name === mount.name);
      const readOnly = mount.readOnly === true || !volume.emptyDir;
      return { source, target: mount.mountPath, readOnly };
    },
  );
  return [own, ...mounts];
}

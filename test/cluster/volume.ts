import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ContainerSpec, dataOf } from './environment.ts';
import type { KubeObject } from './object.ts';
import type { Registry } from './registry.ts';

export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

/**
 * Makes a pod's volumes in a folder: ConfigMaps and Secrets as files, emptyDirs as folders.
 * @throws ConfigError when a ConfigMap or Secret is not there.
 */
export function makeVolumes(registry: Registry, pod: KubeObject, folder: string): void {
  for (const volume of pod.spec.volumes ?? []) {
    const path = join(folder, volume.name);
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o777);
    const { configMap, secret } = volume;
    const data = configMap
      ? dataOf(registry, pod, 'configmaps', configMap)
      : secret && dataOf(registry, pod, 'secrets', { name: secret.secretName, optional: secret.optional });
    if (data) writeFiles(path, data, configMap ?? secret);
  }
}

interface Projection {
  items?: { key: string; path: string; mode?: number }[];
  defaultMode?: number;
}

function writeFiles(
  folder: string,
  data: Record<string, Buffer>,
  { items, defaultMode = 0o644 }: Projection,
): void {
  const files = items ?? Object.keys(data).map((key) => ({ key, path: key, mode: undefined }));
  for (const { key, path, mode } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data[key] ?? '');
    chmodSync(file, mode ?? defaultMode);
  }
}

/** Where a container sees its pod's volumes. */
export function mountsOf(container: ContainerSpec, folder: string): Mount[] {
  return (container.volumeMounts ?? []).map(
    (mount: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }) => {
      const source = join(folder, mount.name, mount.subPath ?? '');
      if (!existsSync(source)) mkdirSync(source, { recursive: true });
      return { source, target: mount.mountPath, readOnly: mount.readOnly === true };
    },
  );
}

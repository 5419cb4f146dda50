import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Namespace } from './namespace.ts';

/** What a tap of the Service web changes. */
export const WEB_OBJECTS = ['service/web', 'deployment/web'];

/** A pod of the Deployment web. */
export interface WebPod {
  metadata: { name: string; labels: Record<string, string> };
  status: {
    startTime: string;
    containerStatuses: { restartCount: number; state: object }[];
    ephemeralContainerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
  };
}

/**
 * A namespace and a folder for a test file, which are there before its tests and gone after them. The Service web has two
 * pods, which take long to end.
 */
export function openWebShop(port: object): { shop: Namespace; folder: string } {
  const shop = new Namespace();
  const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
  before(async () => {
    await shop.create();
    await shop.app({ name: 'web', replicas: 2, env: { DRAIN_MS: '8000' } });
    await shop.service('web', [{ port: 80, ...port }]);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await shop.delete();
  });
  return { shop, folder };
}

export async function listWebPods(shop: Namespace): Promise<WebPod[]> {
  return (await shop.get<{ items: WebPod[] }>('pods', '-l', 'app=web')).items;
}

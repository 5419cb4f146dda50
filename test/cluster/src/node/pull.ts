import { findImage, type Image, InvalidImageName, pullError } from '../containers/image.ts';
import type { ContainerSpec } from '../objects/container-spec.ts';

/** How long a failing container waits for the next try, in ms: doubled each time, as the kubelet does. */
export const BACK_OFF = { first: 10_000, most: 300_000 };

/** The container that waits for its image. */
export interface Waiting {
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Sets the reason for waiting. */
  wait(reason: string, message: string): void;
  /** Waits, or returns when stopped. */
  sleep(ms: number): Promise<void>;
  isStopped(): boolean;
}

/** Pulls a container's image, and retries until it is there; undefined when stopped before. */
export async function pull(container: ContainerSpec, waiting: Waiting): Promise<Image | undefined> {
  const { image } = container;
  for (let wait = BACK_OFF.first; !waiting.isStopped(); wait = Math.min(wait * 2, BACK_OFF.most)) {
    try {
      const found = findImage(image);
      if (found) {
        waiting.event('Normal', 'Pulled', `Container image "${image}" already present on machine`);
        return found;
      }
      await reportMissing(container, waiting);
    } catch (error) {
      if (!(error instanceof InvalidImageName)) throw error;
      waiting.wait('InvalidImageName', error.message);
    }
    await waiting.sleep(wait);
  }
  return undefined;
}

/** Reports that an image cannot be pulled. */
async function reportMissing({ image, imagePullPolicy }: ContainerSpec, waiting: Waiting): Promise<void> {
  if (imagePullPolicy === 'Never') {
    const why = `Container image "${image}" is not present with pull policy of Never`;
    waiting.wait('ErrImageNeverPull', why);
    return;
  }
  waiting.event('Warning', 'Failed', `Failed to pull image "${image}": ${pullError(image)}`);
  waiting.wait('ErrImagePull', pullError(image));
  await waiting.sleep(1000);
  waiting.event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
  waiting.wait('ImagePullBackOff', `Back-off pulling image "${image}"`);
}

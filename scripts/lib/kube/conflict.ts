import { KubectlError } from './kubectl.ts';

/** Whether someone else changed the object between our reading and our writing. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubectlError && error.reason === 'Conflict';
}

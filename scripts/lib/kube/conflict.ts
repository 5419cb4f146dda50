import { KubectlError } from './kubectl.ts';

/**
 * Repeats work that reads an object and writes it, as long as somebody else changes the object in between.
 * @param attempts how often at most.
 * @param work gets the number of the attempt, from 1.
 */
export async function retryOnConflict<T>(
  attempts: number,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error;
    }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof KubectlError && error.reason === 'Conflict';
}

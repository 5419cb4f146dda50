import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { retryOnConflict } from '../../scripts/lib/kube/conflict.ts';
import { KubectlError } from '../../scripts/lib/kube/kubectl.ts';

const CONFLICT = new KubectlError('Error from server (Conflict): the object has been modified');

/** Fails with each error in turn, then succeeds. */
function failing(errors: Error[]): { attempts: number[]; work: (attempt: number) => Promise<string> } {
  const attempts: number[] = [];
  const work = async (attempt: number) => {
    attempts.push(attempt);
    const error = errors[attempt - 1];
    if (error) throw error;
    return 'done';
  };
  return { attempts, work };
}

describe('retryOnConflict', () => {
  it('repeats the work until nobody else changes the object', async () => {
    const { attempts, work } = failing([CONFLICT, CONFLICT]);
    assert.equal(await retryOnConflict(5, work), 'done');
    assert.deepEqual(attempts, [1, 2, 3]);
  });

  it('throws the conflict after the last attempt', async () => {
    const { attempts, work } = failing([CONFLICT, CONFLICT, CONFLICT]);
    await assert.rejects(retryOnConflict(3, work), CONFLICT);
    assert.deepEqual(attempts, [1, 2, 3]);
  });

  it('throws any other error at once', async () => {
    const forbidden = new KubectlError('Error from server (Forbidden): no');
    const { attempts, work } = failing([forbidden]);
    await assert.rejects(retryOnConflict(3, work), forbidden);
    assert.deepEqual(attempts, [1]);
  });
});

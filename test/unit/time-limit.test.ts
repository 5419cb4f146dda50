import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitTime, TimeLimitError } from '../../scripts/lib/util/time-limit.ts';

const hang = () => /^(a+)+$/.test(`${'a'.repeat(60)}b`);

describe('limitTime', () => {
  it('returns the result of a task', () => {
    assert.equal(
      limitTime(10_000, () => 17),
      17,
    );
  });

  it('passes on the error of a task, and can be used again', () => {
    const error = new RangeError('out of range');
    assert.throws(
      () =>
        limitTime(10_000, () => {
          throw error;
        }),
      (thrown) => thrown === error,
    );
    assert.equal(
      limitTime(10_000, () => 'again'),
      'again',
    );
  });

  it('stops a regular expression that would take years, again and again', () => {
    for (let times = 0; times < 3; times++) assert.throws(() => limitTime(50, hang), TimeLimitError);
  });

  it('lets a task within a task take as long as the outer one', () => {
    assert.throws(() => limitTime(50, () => limitTime(1e6, hang)), TimeLimitError);
  });
});

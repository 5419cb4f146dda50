/** How many items at a time: each may start several processes. */
const AT_A_TIME = 8;

/**
 * Works on many items, a few at a time. After the first error, starts no more, waits for those that have started, and
 * throws it.
 */
export async function forEachInPool<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  const workers = Array.from({ length: AT_A_TIME }, () =>
    worker().catch((error: unknown) => {
      left.length = 0;
      throw error;
    }),
  );
  const failure = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

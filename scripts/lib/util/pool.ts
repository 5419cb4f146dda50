/** How many: each is a kubectl, or more. */
const AT_A_TIME = 8;

/**
 * Does something with each of many, a few at a time. The first that fails lets the others
 * that have begun come to their end, begins no more, and is thrown.
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

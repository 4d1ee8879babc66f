/**
 * Calls `visit` for every item, for at most `limit` of them at a time, in order of their beginning. The first error
 * is passed on, and no further item begins after it.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  visit: (item: T, index: number) => Promise<void>,
): Promise<void> {
  // Shared by all lanes. A lane that throws ends it, and with it the others.
  const queue = (function* () {
    let index = 0;
    for (const item of items) yield [item, index++] as const;
  })();
  const lane = async (): Promise<void> => {
    for (const [item, index] of queue) await visit(item, index);
  };
  await Promise.all(Array.from({ length: limit }, lane));
}

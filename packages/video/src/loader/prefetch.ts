/** Results in order, worked on ahead of their use. */

/**
 * The results of `load(first)` … `load(end − 1)` in order. While one is in use, the next `ahead` are under way; each
 * failure is thrown when its turn comes. Leaving the loop early waits for what is under way.
 */
export async function* prefetch<T>(
  load: (index: number) => Promise<T>,
  { first = 0, end, ahead }: { first?: number; end: number; ahead: number },
): AsyncGenerator<T, void> {
  const underWay: Promise<T>[] = [];
  let next = first;
  try {
    for (let index = first; index < end; index++) {
      while (underWay.length <= ahead && next < end) {
        const result = load(next++);
        // Seen when its turn comes; until then, a failure is not an unhandled one.
        result.catch(() => {});
        underWay.push(result);
      }
      yield await (underWay.shift() as Promise<T>);
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}

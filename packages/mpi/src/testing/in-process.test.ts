import { expect, it } from 'vitest';
import { inProcessRanks } from './in-process.js';

it('does what the ranks of a job do', async () => {
  const results = await Promise.all(
    inProcessRanks(3).map(async (ranks) => {
      const weights = Float32Array.of(ranks.rank, 5);
      await ranks.broadcast(weights);
      const sums = new Float32Array(2);
      const [names] = await Promise.all([
        ranks.gather(`rank ${ranks.rank}`),
        ranks.sum(Float32Array.of(ranks.rank, 1), sums),
      ]);
      const most = Float64Array.of(5 - ranks.rank);
      await ranks.max(most);
      await ranks.close();
      return { weights: [...weights], sums: [...sums], names, most: [...most] };
    }),
  );
  for (const result of results) {
    expect(result).toEqual({
      weights: [0, 5],
      sums: [3, 3],
      names: ['rank 0', 'rank 1', 'rank 2'],
      most: [5],
    });
  }
});

it('refuses ranks that do not call the same', async () => {
  const [first, second] = inProcessRanks(2);
  const calls = Promise.allSettled([first!.barrier(), second!.gather(1)]);
  expect((await calls).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

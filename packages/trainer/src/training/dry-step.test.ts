import { OutOfMemoryError } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { largestBatch, type StepMemory } from './dry-step.js';

describe('largestBatch', () => {
  /** A training that holds 1000 bytes and 100 or so a clip; notes the batches that are tried. */
  function setUp({ limit = Infinity, clip = (n: number) => 100 * n } = {}) {
    const tried: number[] = [];
    const memoryOf = async (batchSize: number): Promise<StepMemory | OutOfMemoryError> => {
      tried.push(batchSize);
      if (batchSize > limit) return new OutOfMemoryError(0, 0, 'too large');
      const heldBytes = 1000 + clip(batchSize);
      return { batchSize, heldBytes } as StepMemory;
    };
    return { tried, memoryOf };
  }

  it('finds the last that fits, following the line', async () => {
    const { tried, memoryOf } = setUp();
    expect(await largestBatch(memoryOf, 4350)).toMatchObject({ batchSize: 33 });
    expect(tried.length).toBeLessThan(8);
  });

  it('finds it where memory grows in steps', async () => {
    const stairs = (n: number) => 512 * Math.ceil((100 * n) / 512);
    for (const budget of [1600, 4350, 99_999]) {
      const { memoryOf } = setUp({ clip: stairs });
      const expected = 5.12 * Math.floor((budget - 1000) / 512);
      expect(await largestBatch(memoryOf, budget)).toMatchObject({ batchSize: Math.floor(expected) });
    }
  });

  it('tries multiples only', async () => {
    const { tried, memoryOf } = setUp();
    expect(await largestBatch(memoryOf, 4350, 2)).toMatchObject({ batchSize: 32 });
    expect(tried.every((batchSize) => batchSize % 2 === 0)).toBe(true);
  });

  it('stops where the adapter has no buffer of the size', async () => {
    const { memoryOf } = setUp({ limit: 20 });
    expect(await largestBatch(memoryOf, 1e6)).toMatchObject({ batchSize: 20 });
  });

  it('finds none where the model alone is too large', async () => {
    expect(await largestBatch(setUp().memoryOf, 1050)).toBeUndefined();
  });
});

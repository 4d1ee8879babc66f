import { describe, expect, it } from 'vitest';
import { countSteps, EpochReader } from './epoch-reader.js';

describe('EpochReader', () => {
  /** A loader of three batches an epoch, which notes what is asked of it. */
  function setUp(accumulate: number) {
    const asked: string[] = [];
    const loader = {
      stepsPerEpoch: 3,
      async *epoch(epoch: number, { startStep = 0 } = {}) {
        asked.push(`epoch ${epoch} from ${startStep}`);
        for (let step = startStep; step < 3; step++) yield { epoch, step };
      },
    };
    return { asked, reader: new EpochReader(loader, accumulate) };
  }
  const position = (epoch: number, stepInEpoch: number) => ({ step: 0, epoch, stepInEpoch });

  it('goes on where a resumed run stands, and leaves out what is not a whole step', async () => {
    const { asked, reader } = setUp(1);
    expect(await reader.next(position(4, 2), 0)).toEqual({ epoch: 4, step: 2 });
    expect(await reader.next(position(5, 0), 0)).toEqual({ epoch: 5, step: 0 });
    expect(asked).toEqual(['epoch 4 from 2', 'epoch 5 from 0']);

    const accumulating = setUp(2);
    expect(await accumulating.reader.next(position(0, 0), 0)).toEqual({ epoch: 0, step: 0 });
    expect(await accumulating.reader.next(position(0, 0), 1)).toEqual({ epoch: 0, step: 1 });
    expect(await accumulating.reader.next(position(1, 0), 0)).toEqual({ epoch: 1, step: 0 });
  });

  it('gives a batch that was read beforehand once', async () => {
    const { asked, reader } = setUp(1);
    await reader.readFirst();
    const batches = [];
    for (const stepInEpoch of [0, 1, 2]) batches.push(await reader.next(position(0, stepInEpoch), 0));
    expect(batches.map(({ step }) => step)).toEqual([0, 1, 2]);
    expect(asked).toEqual(['epoch 0 from 0']);
    await expect(reader.next(position(0, 3), 0)).rejects.toThrow('epoch 0 ended before step 3');
  });
});

describe('countSteps', () => {
  const source = (stepsPerEpoch: number) => ({ stepsPerEpoch, epoch: () => [] as never });

  it('counts whole steps', () => {
    expect(countSteps(source(7), { batchSize: 4, accumulate: 3 })).toBe(2);
  });

  it('refuses an epoch without a whole step', () => {
    expect(() => countSteps(source(2), { batchSize: 4, accumulate: 3 }, ', or add clips')).toThrow(
      /2 batches of 4, fewer than the 3 of --accumulate: lower it or --batch-size, or add clips/,
    );
  });
});

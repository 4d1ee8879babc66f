import { describe, expect, it } from 'vitest';
import type { ClipBatch, ClipLoader } from '@tubelet/video';
import { BatchReader, videosFingerprint } from './train-data.js';

describe('videosFingerprint', () => {
  const of = (...paths: string[]) => videosFingerprint(paths.map((path) => ({ path })));

  it('is the same wherever the folder lies', () => {
    expect(of('/a/x.mp4', '/a/b/y.mp4')).toBe(of('/mnt/c/x.mp4', '/mnt/c/b/y.mp4'));
    expect(of('/a/x.mp4', '/a/b/y.mp4')).toMatch(/^2 videos, [0-9a-f]{16}$/);
  });

  it('changes with the number, the names and the order of the videos', () => {
    const lists = [['/a/x'], ['/a/y'], ['/a/x', '/a/y'], ['/a/y', '/a/x'], ['/a/x', '/a/b/y']];
    expect(new Set(lists.map((list) => of(...list))).size).toBe(lists.length);
  });
});

describe('BatchReader', () => {
  /** A loader of three batches an epoch, which notes what is asked of it. */
  function setUp(accumulate: number) {
    const asked: string[] = [];
    const loader = {
      async *epoch(epoch: number, { startStep = 0 } = {}) {
        asked.push(`epoch ${epoch} from ${startStep}`);
        for (let step = startStep; step < 3; step++) yield { epoch, step } as ClipBatch;
      },
    } as unknown as ClipLoader;
    return { asked, reader: new BatchReader(loader, accumulate) };
  }
  const position = (epoch: number, stepInEpoch: number) => ({ step: 0, epoch, stepInEpoch });

  it('goes on where a resumed run stands, and leaves out what is no whole step', async () => {
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

import { ParameterStore, Engine } from '@tubelet/autograd';
import type { SafetensorsTensor } from '@tubelet/autograd/formats';
import { paperRuntime } from '@tubelet/kernels';
import type { BadFile } from '@tubelet/video';
import { describe, expect, it } from 'vitest';
// Test code of a neighbour, which is not part of what its package offers.
import { inProcessRanks } from '../../../mpi/src/testing/in-process.js';
import { BadFiles } from './bad-files.js';
import {
  fromFirst,
  requireSameEverywhere,
  requireSameState,
  SAME_COMMAND,
  shareContent,
  SharedSteps,
  silentProgress,
} from './ranks.js';

const onAll = <T>(size: number, body: (ranks: ReturnType<typeof inProcessRanks>[number]) => Promise<T>) =>
  Promise.all(inProcessRanks(size).map(body));

const tensor = (...values: number[]): SafetensorsTensor => ({
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('ranks', () => {
  it('take from the first what only it has, be it nothing', async () => {
    const made: number[] = [];
    const results = await onAll(3, async (ranks) => [
      await fromFirst(ranks, () => made.push(ranks.rank)),
      await fromFirst(ranks, () => undefined),
    ]);
    expect(results).toEqual([
      [1, undefined],
      [1, undefined],
      [1, undefined],
    ]);
    expect(made).toEqual([0]);
  });

  it('take the state of the first to the bit', async () => {
    const content = {
      tensors: new Map([
        ['w', tensor(0.1, -0)],
        ['b', tensor(NaN)],
      ]),
      metadata: { step: '7' },
    };
    const results = await onAll(2, (ranks) => shareContent(ranks, ranks.rank === 0 ? content : undefined));
    for (const { tensors, metadata } of results) {
      expect(metadata).toEqual(content.metadata);
      expect([...tensors]).toEqual([...content.tensors]);
    }
  });

  it('are refused when their options or data differ', async () => {
    const check = onAll(2, (ranks) =>
      requireSameEverywhere(ranks, { lr: 1, videos: `${3 + ranks.rank} videos` }, SAME_COMMAND),
    );
    await expect(check).rejects.toThrow('videos is "3 videos" on rank 0 and "4 videos" on rank 1');
    await onAll(2, (ranks) => requireSameEverywhere(ranks, { lr: 1 }, SAME_COMMAND));
  });

  it('are refused when their weights differ in a bit', async () => {
    const state = (value: number) => ({ tensors: new Map([['w', tensor(value)]]), metadata: {} });
    await onAll(3, (ranks) => requireSameState(ranks, state(0), 4));
    const check = onAll(3, (ranks) => requireSameState(ranks, state(ranks.rank === 1 ? -0 : 0), 4));
    await expect(check).rejects.toThrow('after step 4 the weights of rank 1 are not those of rank 0');
  });

  it('average their losses, and stop together when one was asked to', async () => {
    const results = await onAll(2, async (ranks) => {
      const stop = { requested: false };
      const steps = sharedSteps(ranks, stop);
      const seen: unknown[] = [await steps.meanOf([ranks.rank, 2]), steps.requested];
      stop.requested = ranks.rank === 1;
      return [...seen, await steps.meanOf([1, 1]), steps.requested];
    });
    for (const result of results) expect(result).toEqual([[0.5, 2], false, [1, 1], true]);
  });

  it('tell the first of files that only they could not use, once', async () => {
    const logs = await onAll(3, async (ranks) => {
      const badFiles = new BadFiles(silentProgress);
      const steps = sharedSteps(ranks, { requested: false }, badFiles);
      const logged: string[] = [];
      const append = (record: object) => void logged.push((record as BadFile).path);
      badFiles.logTo({ log: { append, flush: () => undefined, close: () => undefined } }, () => 0);
      await steps.meanOf([0]);
      if (ranks.rank > 0) badFiles.report({ path: `of ${ranks.rank}`, reason: 'cut short' });
      badFiles.report({ path: 'of all', reason: 'empty' });
      const told = steps.meanOf([0]);
      if (ranks.rank === 2) badFiles.report({ path: 'late of 2', reason: 'cut short' });
      await told;
      await steps.meanOf([0]);
      return logged.sort();
    });
    expect(logs).toEqual([
      ['late of 2', 'of 1', 'of 2', 'of all'],
      ['of 1', 'of all'],
      ['late of 2', 'of 2', 'of all'],
    ]);
  });
});

function sharedSteps(
  ranks: ReturnType<typeof inProcessRanks>[number],
  stop: { readonly requested: boolean },
  badFiles = new BadFiles(silentProgress),
): SharedSteps {
  const store = new ParameterStore(new Engine(paperRuntime()), [{ name: 'w', shape: [4] }]);
  return new SharedSteps(ranks, store, stop, badFiles);
}

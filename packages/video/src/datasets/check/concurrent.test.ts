import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { forEachConcurrently } from './concurrent.js';

describe('forEachConcurrently', () => {
  it('visits every item once, as many at a time as it may', async () => {
    const visited: [string, number][] = [];
    let running = 0;
    let most = 0;
    await forEachConcurrently('abcdefg', 3, async (item, index) => {
      most = Math.max(most, ++running);
      visited.push([item, index]);
      await wait(1);
      running--;
    });
    expect(visited).toEqual([...'abcdefg'].map((item, index) => [item, index]));
    expect(most).toBe(3);
    expect(running).toBe(0);
  });

  it('begins no further item after an error, and passes it on', async () => {
    const begun: number[] = [];
    const visits = forEachConcurrently([0, 1, 2, 3, 4, 5, 6, 7], 2, async (item) => {
      begun.push(item);
      await wait(1);
      if (item === 2) throw new Error('the third is bad');
    });
    await expect(visits).rejects.toThrow('the third is bad');
    await wait(20);
    expect(begun.length).toBeLessThan(6);
  });

  it('does nothing with nothing', async () => {
    await expect(
      forEachConcurrently([], 4, () => Promise.reject(new Error('called'))),
    ).resolves.toBeUndefined();
  });
});

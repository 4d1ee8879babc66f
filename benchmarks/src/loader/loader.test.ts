import { resolveFfmpeg } from '@tubelet/video';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareLoaders, formatComparisons } from './beside.js';
import { makeVideos, VIDEO } from './make-videos.js';
import { processorSeconds, type LoaderResult } from './measure-loader.js';
import { joinRounds, measureLoaders } from './measure-loaders.js';
import { formatLoader } from './report.js';
import { madeOnce } from './sources.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-loader-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('counts the clips that a decoder gives', async () => {
  const ffmpeg = await resolveFfmpeg();
  const entries = (await makeVideos(folder, 2, ffmpeg, { ...VIDEO, frames: 64 })).map((path) => ({ path }));
  const contender = { name: 'ffmpeg', decoder: 'ffmpeg', ffmpeg } as const;
  const settings = { batchSize: 1, workers: 1, seconds: 0.001, trainerClipsPerSecond: 1000 };
  const [result, ...others] = (await measureLoaders(
    [{ source: 'mp4', entries, contenders: [contender] }],
    settings,
    2,
  )) as [LoaderResult, ...LoaderResult[]];
  expect(others).toEqual([]);
  expect(result.clips).toBe(2);
  expect(result.roundClipsPerSecond).toHaveLength(2);
  expect(result.waited).toBeGreaterThan(0);
  expect(result.waited).toBeLessThan(1);
  expect(result.clipsPerSecond).toBeCloseTo(2 / result.seconds);
});

const result = {
  ...{ source: 'mp4', decoder: 'a decoder', clips: 40, seconds: 2, clipsPerSecond: 20 },
  ...{ roundClipsPerSecond: [20], waited: 0.25 },
};

it('prints a line for each decoder', () => {
  const table = formatLoader(
    [
      { ...result, name: 'fast', cores: 1.5 },
      { ...result, name: 'unknown' },
    ],
    2,
    30,
  );
  expect(table.split('\n').slice(1)).toEqual([
    'mp4     fast        20.0        75 %                  75 ms                                 213                 25 %  40 in 2.0 s',
    'mp4     unknown     20.0                                                                                        25 %  40 in 2.0 s',
  ]);
});

it('sees the processor time of this process, where the system tells', () => {
  const before = processorSeconds();
  if (before === undefined) return;
  for (const end = performance.now() + 60; performance.now() < end;) Math.sqrt(end);
  expect(processorSeconds()).toBeGreaterThan(before);
});

it('joins rounds of different length', () => {
  const short = { ...result, name: 'one', clips: 10, seconds: 1, roundClipsPerSecond: [10], cores: 2 };
  const long = { ...result, name: 'one', clips: 90, seconds: 3, roundClipsPerSecond: [30], cores: 1 };
  expect(joinRounds([short, { ...long, waited: 0.75 }])).toEqual({
    ...{ ...result, name: 'one', clips: 100, seconds: 4, clipsPerSecond: 25 },
    ...{ roundClipsPerSecond: [10, 30], cores: (2 * 1 + 1 * 3) / 4, waited: 0.5 },
  });
  expect(joinRounds([{ ...short, cores: undefined }]).cores).toBeUndefined();
});

it('pairs the rounds of a source with those that another checkout took next to them', () => {
  const at = (source: string, roundClipsPerSecond: number[]): LoaderResult => ({
    ...{ ...result, name: 'a decoder', source, roundClipsPerSecond, cores: 2 },
  });
  // The machine was slow in the second round of both.
  const here = [at('mp4', [60, 12, 60]), at('jpg', [5]), at('shards', [9])];
  const there = [{ ...at('mp4', [20, 6, 15]), name: 'another', clipsPerSecond: 5 }, at('jpg', [10])];
  const comparisons = compareLoaders(here, there);
  expect(comparisons.map(({ source, ratio }) => [source, ratio])).toEqual([
    ['mp4', 3],
    ['jpg', 0.5],
  ]);
  expect(formatComparisons(comparisons, 30).split('\n')[1]).toMatch(
    /^mp4 +another +a decoder +5\.0 +20\.0 +3\.00× +400 ms → 100 ms +25 % → 25 %$/,
  );
});

describe('a folder of sources', () => {
  const place = join(folder, 'sources', 'mp4');
  const makes: string[] = [];
  const making = (fails: boolean) =>
    madeOnce(place, async (into) => {
      makes.push(into);
      writeFileSync(join(into, `${makes.length}.mp4`), '');
      if (fails) throw new Error('interrupted');
    });

  it('is made where it is missing, whole, and read where it is there', async () => {
    await expect(making(true)).rejects.toThrow('interrupted');
    const entries = [{ path: join(place, '2.mp4') }];
    expect(await making(false)).toEqual(entries);
    expect(await making(false)).toEqual(entries);
    expect(makes).toHaveLength(2);
  });
});

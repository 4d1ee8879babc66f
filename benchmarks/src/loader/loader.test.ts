import { resolveFfmpeg } from '@tubelet/video';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeVideos, VIDEO } from './make-videos.js';
import { measureLoader, processorSeconds } from './measure-loader.js';
import { formatLoader } from './report.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-loader-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('counts the clips that a decoder gives', async () => {
  const ffmpeg = await resolveFfmpeg();
  const paths = await makeVideos(folder, 2, ffmpeg, { ...VIDEO, frames: 64 });
  const result = await measureLoader(
    { name: 'ffmpeg', decoder: 'ffmpeg', ffmpeg },
    {
      ...{ source: 'mp4', entries: paths.map((path) => ({ path })), batchSize: 1, workers: 1 },
      ...{ seconds: 0.001, trainerClipsPerSecond: 1000 },
    },
  );
  expect(result.clips).toBe(1);
  expect(result.waited).toBeGreaterThan(0);
  expect(result.waited).toBeLessThan(1);
  expect(result.clipsPerSecond).toBeCloseTo(1 / result.seconds);
});

it('prints a line for each decoder', () => {
  const result = {
    source: 'mp4',
    decoder: 'a decoder',
    clips: 40,
    seconds: 2,
    clipsPerSecond: 20,
    waited: 0.25,
  };
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

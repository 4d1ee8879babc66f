import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DecoderClosedError, NoReadableVideoError, type BadFile } from '../errors.js';
import type { WasmFfmpeg } from '../ffmpeg/ffmpeg.js';
import { ClipLoader, type ClipBatch } from './loader.js';
import type { ClipLoaderOptions } from './loader-options.js';
import { clipFrameIndices } from '../sampling/sampling.js';
import type { VideoEntry } from '../sources/video-entry.js';
import { listVideos } from '../sources/source.js';
import {
  frameNumbers,
  MPEG4,
  temporaryFolder,
  wasmFfmpeg,
  writeNumberedFolder,
  writeNumberedVideo,
} from '../testing/videos.js';
import { rgbOfClips } from '../testing/rgb.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const SIZE = 16;
let ffmpeg: WasmFfmpeg;
/** Six that can be read. */
let good: VideoEntry[];
/** The same with two among them that cannot. */
let mixed: VideoEntry[];

const loaders: ClipLoader[] = [];
async function open(options: Partial<ClipLoaderOptions>): Promise<ClipLoader> {
  const loader = await ClipLoader.open({
    entries: good,
    batchSize: 2,
    seed: 11,
    size: SIZE,
    frames: 4,
    step: 3,
    workers: 1,
    ffmpeg,
    ...options,
  });
  loaders.push(loader);
  return loader;
}

type SeenBatch = Omit<ClipBatch, 'clips' | 'boxes'> & { frames: Uint8Array };

/** What the batches of an epoch show, RGB. */
async function collect(loader: ClipLoader, epoch: number, startStep = 0): Promise<SeenBatch[]> {
  const batches: SeenBatch[] = [];
  for await (const { clips, boxes, ...batch } of loader.epoch(epoch, { startStep })) {
    batches.push({ ...batch, frames: rgbOfClips(clips, SIZE, boxes) });
  }
  return batches;
}

beforeAll(async () => {
  ffmpeg = await wasmFfmpeg();
  mkdirSync(file('good'));
  for (const [i, count] of [40, 31, 12, 5].entries()) await writeNumberedVideo(file(`good/${i}.mp4`), count);
  await writeNumberedVideo(file('good/4.avi'), 50, { options: MPEG4 });
  await writeNumberedFolder(file('good/5'), 20, (i) => `${i}.png`);
  good = (await listVideos(file('good'))).entries;
  writeFileSync(file('text.mp4'), 'no video');
  writeFileSync(file('cut.mp4'), readFileSync(file('good/0.mp4')).subarray(0, 1500));
  mixed = [
    good[0],
    { path: file('text.mp4') },
    ...good.slice(1, 4),
    { path: file('cut.mp4') },
    ...good.slice(4),
  ] as VideoEntry[];
});
afterEach(async () => {
  await Promise.all(loaders.splice(0).map((loader) => loader.close()));
});
afterAll(() => folder.remove());

describe('an epoch', () => {
  it('shows every sample once, in an order of its own, with the frames that it names', async () => {
    const loader = await open({ augmentation: 'none', crop: 'none' });
    expect(loader.stepsPerEpoch).toBe(3);
    const orders: string[] = [];
    for (const epoch of [0, 1]) {
      const batches = await collect(loader, epoch);
      expect(batches.map(({ step }) => step)).toEqual([0, 1, 2]);
      const samples = batches.flatMap(({ sampleIndices }) => [...sampleIndices]);
      expect([...samples].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      orders.push(samples.join());
      for (const { frames, frameIndices, names, sampleIndices } of batches) {
        expect(frames).toHaveLength(2 * 4 * SIZE * SIZE * 3);
        expect(frameNumbers(frames, SIZE)).toEqual(frameIndices.flat());
        expect(names).toEqual(Array.from(sampleIndices, (sample) => good[sample]?.path));
      }
    }
    expect(orders[0]).not.toBe(orders[1]);
  });

  it('draws other clips and crops each time', async () => {
    const loader = await open({ entries: [good[0] as VideoEntry], batchSize: 1 });
    const starts = new Set<number | undefined>();
    const contents = new Set<string>();
    for (let epoch = 0; epoch < 12; epoch++) {
      const [batch] = await collect(loader, epoch);
      const start = batch?.frameIndices[0]?.[0] as number;
      expect(batch?.frameIndices[0]).toEqual(clipFrameIndices(40, start, { frames: 4, step: 3 }));
      starts.add(start);
      contents.add(Buffer.from(batch?.frames ?? []).toString('base64'));
    }
    expect(starts.size).toBeGreaterThan(5);
    expect(contents.size).toBe(12);
  });

  it('depends on neither threads, nor the cache, nor how far it reads ahead', async () => {
    const expected = await collect(await open({ entries: mixed }), 3);
    for (const options of [
      { workers: 3 },
      { cacheBytes: 0 },
      { cacheBytes: 60_000, workers: 2 },
      { prefetchBatches: 0 },
    ]) {
      const batches = await collect(await open({ entries: mixed, ...options }), 3);
      expect(
        batches.map((batch) => ({ ...batch, frames: Buffer.from(batch.frames).toString('base64') })),
      ).toEqual(
        expected.map((batch) => ({ ...batch, frames: Buffer.from(batch.frames).toString('base64') })),
      );
    }
  });

  it('depends on the seed', async () => {
    const [a] = await collect(await open({}), 0);
    const [b] = await collect(await open({ seed: 12 }), 0);
    expect(Buffer.compare(a?.frames ?? Buffer.alloc(0), b?.frames ?? Buffer.alloc(0))).not.toBe(0);
  });

  it('goes on from a step as if it had never stopped, bad files included', async () => {
    const whole = await collect(await open({ entries: mixed }), 2);
    const rest = await collect(await open({ entries: mixed }), 2, 2);
    expect(rest).toEqual(whole.slice(2));
  });

  it('can be left early, and the next one begun', async () => {
    const loader = await open({ prefetchBatches: 2 });
    for await (const batch of loader.epoch(0)) {
      expect(batch.step).toBe(0);
      break;
    }
    expect(await collect(loader, 1)).toEqual(await collect(await open({}), 1));
  });

  it('keeps the last, smaller batch only when told to', async () => {
    expect((await open({ batchSize: 4 })).stepsPerEpoch).toBe(1);
    const batches = await collect(await open({ batchSize: 4, dropLast: false }), 0);
    expect(batches.map(({ sampleIndices }) => sampleIndices.length)).toEqual([4, 2]);
    expect(batches[1]?.frames).toHaveLength(2 * 4 * SIZE * SIZE * 3);
  });

  it('shares global batches between processes', async () => {
    const whole = await collect(await open({ batchSize: 2 }), 5);
    const shares = [];
    for (const rank of [0, 1]) {
      shares.push(await collect(await open({ batchSize: 1, rank, ranks: 2 }), 5));
    }
    for (const [step, batch] of whole.entries()) {
      const halves = shares.map((share) => share[step] as SeenBatch);
      expect(Buffer.concat(halves.map(({ frames }) => frames)).equals(Buffer.from(batch.frames))).toBe(true);
      expect(halves.flatMap(({ names }) => names)).toEqual(batch.names);
    }
  });

  it('hands labels on', async () => {
    const entries = good.map((entry, i) => ({ ...entry, label: `label ${i}` }));
    for (const { labels, sampleIndices } of await collect(await open({ entries }), 0)) {
      expect(labels).toEqual(Array.from(sampleIndices, (sample) => `label ${sample}`));
    }
  });
});

describe('long videos', () => {
  it('are cut into segments that clips do not leave', async () => {
    const entries = [good[0], good[4]] as VideoEntry[]; // 40 and 50 frames at 25 a second
    const loader = await open({ entries, segmentSeconds: 0.6, augmentation: 'none', crop: 'none' });
    expect(loader.sampleCount).toBe(2 + 3);
    const edges = [
      [0, 20],
      [20, 40],
      [0, 16],
      [16, 33],
      [33, 50],
    ];
    for (let epoch = 0; epoch < 4; epoch++) {
      for (const { frameIndices, sampleIndices, frames } of await collect(loader, epoch)) {
        expect(frameNumbers(frames, SIZE)).toEqual(frameIndices.flat());
        frameIndices.forEach((indices, i) => {
          const [begin, end] = edges[sampleIndices[i] as number] as [number, number];
          expect(Math.min(...indices)).toBeGreaterThanOrEqual(begin);
          expect(Math.max(...indices)).toBeLessThan(end);
        });
      }
    }
  });

  it('can be used in part', async () => {
    const entries = [{ ...(good[0] as VideoEntry), timeRange: { startSeconds: 0.4, endSeconds: 1.2 } }];
    const seen = new Set<number>();
    const loader = await open({
      entries,
      batchSize: 5,
      clipsPerVideo: 10,
      augmentation: 'none',
      crop: 'none',
    });
    expect(loader.sampleCount).toBe(10);
    for (const { frames, frameIndices } of await collect(loader, 0)) {
      expect(frameNumbers(frames, SIZE)).toEqual(frameIndices.flat());
      frameIndices.flat().forEach((index) => seen.add(index));
    }
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...seen)).toBeLessThan(30);
    // Among them clips that differ.
    expect(seen.size).toBeGreaterThan(8);
  });

  it('report a stretch that the video does not have', async () => {
    const entries = [{ ...(good[0] as VideoEntry), timeRange: { startSeconds: 9 } }];
    await expect(open({ entries, batchSize: 1, segmentSeconds: 1 })).rejects.toThrow(/no frame from 9 s/);
  });
});

describe('files that cannot be read', () => {
  it.each([undefined, 0.4])(
    'are reported once, listed and replaced (segments of %s s)',
    async (segmentSeconds) => {
      const reported: BadFile[] = [];
      const loader = await open({
        entries: mixed,
        segmentSeconds,
        workers: 2,
        onBadFile: (bad) => reported.push(bad),
      });
      for (const epoch of [0, 1]) {
        const batches = await collect(loader, epoch);
        expect(batches).toHaveLength(loader.stepsPerEpoch);
        const names = batches.flatMap((batch) => batch.names);
        for (const name of names) expect(good.map(({ path }) => path)).toContain(name);
        expect(names).toHaveLength(2 * loader.stepsPerEpoch);
      }
      expect(reported.map(({ path }) => path).sort()).toEqual([file('cut.mp4'), file('text.mp4')]);
      expect(loader.badFiles.map(({ path }) => path)).toEqual([file('text.mp4'), file('cut.mp4')]);
      for (const { reason } of loader.badFiles) expect(reason).toMatch(/Invalid data|moov atom/);
    },
  );

  it('end the run when there are no others', async () => {
    const entries = [{ path: file('text.mp4') }, { path: file('cut.mp4') }, { path: file('missing.mp4') }];
    const loader = await open({ entries, batchSize: 1 });
    const error: unknown = await collect(loader, 0).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoReadableVideoError);
    expect((error as Error).message).toMatch(/None of the 3 videos .*text\.mp4/);
    expect((error as NoReadableVideoError).badFiles).toHaveLength(3);
    await expect(open({ entries, batchSize: 1, segmentSeconds: 1 })).rejects.toThrow(NoReadableVideoError);
  });

  it('an empty data set is refused', async () => {
    await expect(open({ entries: [] })).rejects.toThrow(NoReadableVideoError);
  });
});

describe('options and closing', () => {
  it.each([
    [{ batchSize: 0 }, 'batchSize is 0'],
    [{ batchSize: 7 }, 'A batch takes 7 clips and the data set gives 6'],
    [{ size: 1.5 }, 'size is 1.5'],
    [{ seed: -1 }, 'seed is -1'],
    [{ segmentSeconds: 0 }, 'segmentSeconds is 0'],
    [{ rank: 2, ranks: 2 }, 'rank is 2'],
    [{ workers: 0 }, 'workers is 0'],
  ])('refuses %j', async (options, message) => {
    const opening = open(options);
    await expect(opening).rejects.toThrow(RangeError);
    await expect(opening).rejects.toThrow(message);
  });

  it('refuses work after close', async () => {
    const loader = await open({});
    await loader.close();
    await expect(collect(loader, 0)).rejects.toThrow(DecoderClosedError);
  });
});

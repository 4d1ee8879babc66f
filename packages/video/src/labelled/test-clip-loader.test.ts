import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { NoReadableVideoError, type BadFile } from '../errors.js';
import type { WasmFfmpeg } from '../ffmpeg/ffmpeg.js';
import { readFrame } from '../decode/frame-folder.js';
import { DecoderPool } from '../loader/pool.js';
import { resizeBilinear } from '../pixels/resize.js';
import {
  frameNumbers,
  MPEG4,
  numberedFrames,
  temporaryFolder,
  wasmFfmpeg,
  writeNumberedFolder,
  writeNumberedVideo,
} from '../testing/videos.js';
import { testClipFrameIndices } from '../transforms/frame-indices.js';
import { TestClipLoader, type TestClipBatch, type TestClipLoaderOptions } from './test-clip-loader.js';
import { rgbOfClips } from '../testing/rgb.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const SIZE = 16;
const CLIP = { frames: 4, step: 3 };
let ffmpeg: WasmFfmpeg;

const loaders: TestClipLoader[] = [];
async function open(options: Partial<TestClipLoaderOptions> = {}): Promise<TestClipLoader> {
  const videos = ['long.mp4', 'folder', 'short.mp4', 'counted.avi', 'one'].map((name) => ({
    path: file(name),
  }));
  const loader = await TestClipLoader.open({
    videos,
    batchSize: 3,
    size: SIZE,
    ...CLIP,
    workers: 1,
    ffmpeg,
    ...options,
  });
  loaders.push(loader);
  return loader;
}

type SeenBatch = Omit<TestClipBatch, 'clips'> & { frames: Uint8Array };

/** What all batches show, RGB. */
async function collect(loader: TestClipLoader): Promise<SeenBatch[]> {
  const batches: SeenBatch[] = [];
  for await (const { clips, ...batch } of loader.batches()) {
    batches.push({ ...batch, frames: rgbOfClips(clips, SIZE) });
  }
  return batches;
}

beforeAll(async () => {
  ffmpeg = await wasmFfmpeg();
  await writeNumberedVideo(file('long.mp4'), 90);
  await writeNumberedVideo(file('short.mp4'), 14);
  await writeNumberedVideo(file('counted.avi'), 50, { options: MPEG4 });
  await writeNumberedFolder(file('folder'), 20, (i) => `${i}.png`);
  await writeNumberedFolder(file('one'), 1, (i) => `${i}.jpg`);
  writeFileSync(file('text.mp4'), 'no video');
  await writeNumberedFolder(file('damaged'), 8, (i) => `${i}.jpg`);
  writeFileSync(file('damaged/6.jpg'), 'no image');
});
afterEach(async () => {
  await Promise.all(loaders.splice(0).map((loader) => loader.close()));
});
afterAll(() => folder.remove());

describe('the clips of a test', () => {
  it('decodes by what it is told to', async () => {
    const [own, told] = await Promise.all([open({ decoder: 'webcodecs' }), open({ decoder: 'ffmpeg' })]);
    expect(own.decoder).toMatch(/^@napi-rs\/webcodecs /);
    expect(told.decoder).toMatch(/^ffmpeg /);
  });

  it('are those of each video in order, and show the frames that they name', async () => {
    const counts = [90, 20, 14, 50, 1];
    const loader = await open();
    expect(loader.videoCount).toBe(5);
    const batches = await collect(loader);
    expect(batches.map(({ videoIndices }) => videoIndices.length)).toEqual([3, 3, 3, 1]);
    expect(batches.flatMap(({ videoIndices }) => [...videoIndices])).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(batches.flatMap(({ clipIndices }) => [...clipIndices])).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    const expected = counts.flatMap((count) => testClipFrameIndices(count, 2, CLIP));
    expect(batches.flatMap(({ frameIndices }) => frameIndices)).toEqual(expected);
    for (const { frames, frameIndices } of batches) {
      expect(frames).toHaveLength(frameIndices.length * CLIP.frames * SIZE * SIZE * 3);
      expect(frameNumbers(frames, SIZE)).toEqual(frameIndices.flat());
    }
    expect(loader.badFiles).toEqual([]);
  });

  it('depend on neither threads nor batches nor how far they are read ahead, and come again', async () => {
    const loader = await open();
    const expected = Buffer.concat((await collect(loader)).map(({ frames }) => frames));
    expect(Buffer.concat((await collect(loader)).map(({ frames }) => frames)).equals(expected)).toBe(true);
    for (const options of [{ workers: 3 }, { batchSize: 10 }, { batchSize: 1, prefetchBatches: 0 }]) {
      const frames = (await collect(await open(options))).map((batch) => batch.frames);
      expect(Buffer.concat(frames).equals(expected)).toBe(true);
    }
  });

  it('can be more than two, sharing frames', async () => {
    const loader = await open({
      videos: [{ path: file('short.mp4') }, { path: file('long.mp4') }],
      clips: 5,
    });
    const batches = await collect(loader);
    const expected = [14, 90].flatMap((count) => testClipFrameIndices(count, 5, CLIP));
    expect(batches.flatMap(({ frameIndices }) => frameIndices)).toEqual(expected);
    expect(batches.flatMap(({ frames }) => frameNumbers(frames, SIZE))).toEqual(expected.flat());
  });

  it('stay within stretches of time', async () => {
    const probes = vi.spyOn(DecoderPool.prototype, 'probe');
    const seconds = [0, 1, 2].map((startSeconds) => ({ startSeconds, endSeconds: startSeconds + 1 }));
    const videos = seconds.map((timeRange) => ({ path: file('long.mp4'), timeRange }));
    const batches = await collect(await open({ videos }));
    const expected = [0, 25, 50].flatMap((begin) =>
      testClipFrameIndices(25, 2, CLIP).map((indices) => indices.map((index) => begin + index)),
    );
    expect(batches.flatMap(({ frameIndices }) => frameIndices)).toEqual(expected);
    expect(batches.flatMap(({ frames }) => frameNumbers(frames, SIZE))).toEqual(expected.flat());
    // However many stretches of it are used, a video's header is read once.
    expect(probes.mock.calls).toEqual([[file('long.mp4'), undefined]]);
    probes.mockRestore();
  });

  it('can have a step of their own', async () => {
    const videos = [{ path: file('long.mp4'), step: 1 }, { path: file('long.mp4') }];
    const batches = await collect(await open({ videos }));
    const expected = [1, CLIP.step].flatMap((step) => testClipFrameIndices(90, 2, { ...CLIP, step }));
    expect(batches.flatMap(({ frameIndices }) => frameIndices)).toEqual(expected);
    expect(batches.flatMap(({ frames }) => frameNumbers(frames, SIZE))).toEqual(expected.flat());
  });

  it('of an image repeat it, squashed as Pillow does it', async () => {
    const path = file('picture.png');
    const pixels = Buffer.from(
      numberedFrames(38, 30, 22)
        .slice(-30 * 22 * 3)
        .map((value, i) => value ^ (i % 31)),
    );
    await sharp(pixels, { raw: { width: 30, height: 22, channels: 3 } }).toFile(path);
    const [batch] = await collect(await open({ videos: [{ path }], clips: 1 }));
    const image = resizeBilinear((await readFrame(path)).pixels, 30, 22, SIZE, SIZE);
    expect(batch!.frameIndices).toEqual([[0, 0, 0, 0]]);
    expect(Buffer.from(batch!.frames).equals(Buffer.concat([image, image, image, image]))).toBe(true);
  });
});

describe('videos that cannot be read', () => {
  it('are reported once, listed and left out', async () => {
    const reported: BadFile[] = [];
    const videos = [
      { path: file('text.mp4') },
      { path: file('folder') },
      { path: file('damaged') },
      { path: file('text.mp4'), timeRange: { startSeconds: 1 } },
      { path: file('long.mp4'), timeRange: { startSeconds: 9 } },
      { path: file('missing.mp4') },
    ];
    const loader = await open({ videos, onBadFile: (bad) => reported.push(bad) });
    for (const time of [1, 2]) {
      const batches = await collect(loader);
      expect(
        batches.flatMap(({ videoIndices }) => [...videoIndices]),
        `time ${time}`,
      ).toEqual([1, 1]);
    }
    expect(loader.badFiles.map(({ path }) => path)).toEqual(
      ['text.mp4', 'damaged', 'long.mp4', 'missing.mp4'].map(file),
    );
    expect(reported).toHaveLength(4);
    expect(reported.find(({ path }) => path === file('damaged'))?.reason).toContain(file('damaged/6.jpg'));
    expect(reported.find(({ path }) => path === file('long.mp4'))?.reason).toContain('no frame from 9 s');
  });

  it('end the test when there are no others', async () => {
    const loader = await open({ videos: [{ path: file('text.mp4') }] });
    await expect(collect(loader)).rejects.toThrow(NoReadableVideoError);
    await expect(open({ videos: [] })).rejects.toThrow(NoReadableVideoError);
  });

  it('include an empty folder', async () => {
    mkdirSync(file('empty'), { recursive: true });
    const loader = await open({ videos: [{ path: file('empty') }, { path: file('one') }] });
    await collect(loader);
    expect(loader.badFiles).toEqual([
      { path: file('empty'), reason: expect.stringContaining('no jpg or png') as string },
    ]);
  });
});

it.each([
  [{ batchSize: 0 }, 'batchSize is 0'],
  [{ clips: 1.5 }, 'clips is 1.5'],
  [{ prefetchBatches: -1 }, 'prefetchBatches is -1'],
  [{ workers: 0 }, 'workers is 0'],
  [{ videos: [{ path: 'face.mp4', step: 0 }] }, 'step of face.mp4 is 0'],
])('refuses %j', async (options, message) => {
  const opening = open(options);
  await expect(opening).rejects.toThrow(RangeError);
  await expect(opening).rejects.toThrow(message);
});

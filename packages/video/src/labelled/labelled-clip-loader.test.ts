import { PhiloxStream } from '@tubelet/kernels';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledVideo } from '../datasets/dataset.js';
import { DecoderClosedError, NoReadableVideoError, type BadFile } from '../errors.js';
import type { WasmFfmpeg } from '../ffmpeg/ffmpeg.js';
import { toRgb } from '../pixels/to-rgb.js';
import {
  frameNumbers,
  MPEG4,
  temporaryFolder,
  wasmFfmpeg,
  writeNumberedFolder,
  writeNumberedVideo,
} from '../testing/videos.js';
import { drawAugmentation } from '../transforms/augmentation.js';
import { drawTrainClipFrameIndices } from '../transforms/frame-indices.js';
import { drawMix, NO_MIX, softTargets, type Mix } from '../transforms/mixup.js';
import { LabelledClipLoader, type LabelledClipBatch } from './labelled-clip-loader.js';
import type { LabelledClipLoaderOptions } from './labelled-loader-options.js';
import { Purpose } from '../stream-purposes.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const SIZE = 16;
const CLIP = { frames: 4, step: 3 };
const SEED = 11;
const CLASSES = 3;
/** Nothing random but the order and the frames. */
const PLAIN = {
  transform: { randAugment: false, crop: false, flipProbability: 0, erasing: false },
  mix: false,
} as const;
let ffmpeg: WasmFfmpeg;

const labelled = (names: string[]): LabelledVideo[] =>
  names.map((name, i) => ({ id: name, path: file(name), label: i % CLASSES }));
/** Six that can be read; one has a single frame. */
const good = labelled(['long.mp4', 'folder', 'short.mp4', 'counted.avi', 'one', 'image.png']);
/** The same with two among them that cannot. */
const mixed = labelled([
  'long.mp4',
  'text.mp4',
  'folder',
  'short.mp4',
  'damaged',
  'counted.avi',
  'one',
  'image.png',
]);

const loaders: LabelledClipLoader[] = [];
async function open(options: Partial<LabelledClipLoaderOptions> = {}): Promise<LabelledClipLoader> {
  const loader = await LabelledClipLoader.open({
    videos: good,
    classes: CLASSES,
    batchSize: 2,
    seed: SEED,
    size: SIZE,
    ...CLIP,
    workers: 1,
    ffmpeg,
    ...options,
  });
  loaders.push(loader);
  return loader;
}

async function collect(loader: LabelledClipLoader, epoch = 0, startStep = 0): Promise<LabelledClipBatch[]> {
  const batches: LabelledClipBatch[] = [];
  for await (const batch of loader.epoch(epoch, { startStep })) batches.push(batch);
  return batches;
}

/** Batches in a form that is compared bit by bit. */
const exactly = (batches: LabelledClipBatch[]) =>
  batches.map((batch) => ({
    ...batch,
    clips: batch.clips.map((clip) => Buffer.from(toRgb(clip, SIZE)).toString('base64')),
  }));

beforeAll(async () => {
  ffmpeg = await wasmFfmpeg();
  await writeNumberedVideo(file('long.mp4'), 90);
  await writeNumberedVideo(file('short.mp4'), 9);
  await writeNumberedVideo(file('counted.avi'), 50, { options: MPEG4 });
  await writeNumberedFolder(file('folder'), 30, (i) => `${i}.png`);
  await writeNumberedFolder(file('one'), 1, (i) => `${i}.jpg`);
  await writeNumberedFolder(folder.path, 1, () => 'image.png');
  writeFileSync(file('text.mp4'), 'no video');
  await writeNumberedFolder(file('damaged'), 1, (i) => `${i}.jpg`);
  writeFileSync(file('damaged/1.jpg'), 'no image');
});
afterEach(async () => {
  await Promise.all(loaders.splice(0).map((loader) => loader.close()));
});
afterAll(() => folder.remove());

describe('an epoch', () => {
  it('shows every sample once, with its label and the frames that it names', async () => {
    const loader = await open(PLAIN);
    expect([loader.sampleCount, loader.stepsPerEpoch]).toEqual([6, 3]);
    const orders = [];
    for (const epoch of [0, 1]) {
      const batches = await collect(loader, epoch);
      const samples = batches.flatMap(({ sampleIndices }) => [...sampleIndices]);
      orders.push(samples.join());
      expect([...samples].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      for (const [step, batch] of batches.entries()) {
        expect([batch.epoch, batch.step]).toEqual([epoch, step]);
        expect(batch.names).toEqual(Array.from(batch.sampleIndices, (sample) => good[sample]!.id));
        expect([...batch.labels]).toEqual(Array.from(batch.sampleIndices, (sample) => good[sample]!.label));
        expect(batch.targets).toEqual(softTargets(batch.labels, CLASSES, 0.1));
        expect(batch.mix).toBe(NO_MIX);
        batch.frameIndices.forEach((indices, i) => {
          expect(frameNumbers(toRgb(batch.clips[i]!, SIZE), SIZE)).toEqual(indices);
        });
      }
    }
    expect(orders[0]).not.toBe(orders[1]);
  });

  it('draws other frames each time, as the reference spreads them', async () => {
    const loader = await open({ ...PLAIN, videos: good.slice(0, 1), batchSize: 1 });
    const starts = new Set<number>();
    for (let epoch = 0; epoch < 12; epoch++) {
      const [batch] = await collect(loader, epoch);
      const stream = new PhiloxStream({ seed: SEED, purpose: Purpose.clipStart, epoch, sample: 0 });
      expect(batch!.frameIndices).toEqual([drawTrainClipFrameIndices(90, stream, CLIP)]);
      starts.add(batch!.frameIndices[0]![0]!);
    }
    expect(starts.size).toBeGreaterThan(5);
  });

  it('draws the augmentation of each sample and the mixing of each batch', async () => {
    const [seed, epoch] = [5, 2];
    const transform = { flipProbability: 0.2 };
    const loader = await open({
      videos: good.slice(0, 4),
      seed,
      batchSize: 4,
      labelSmoothing: 0.2,
      transform,
    });
    const [batch] = await collect(loader, epoch);
    expect(batch!.augmentations).toEqual(
      Array.from(batch!.sampleIndices, (sample) =>
        drawAugmentation(SIZE, { seed, epoch, sample }, transform),
      ),
    );
    const mix = drawMix(SIZE, SIZE, new PhiloxStream({ seed, purpose: Purpose.mixup, epoch, sample: 0 }));
    expect(mix.lambda).not.toBe(1);
    expect(batch!.mix).toEqual(mix);
    expect(batch!.targets).toEqual(softTargets(batch!.labels, CLASSES, 0.2, mix));
  });

  it('mixes anew at each step', async () => {
    const loader = await open();
    const lambdas = new Set<number>();
    for (const epoch of [0, 1, 2, 3]) {
      for (const { step, labels, targets } of await collect(loader, epoch)) {
        const mix: Mix = drawMix(
          SIZE,
          SIZE,
          new PhiloxStream({ seed: SEED, purpose: Purpose.mixup, epoch, sample: step }),
        );
        expect(targets).toEqual(softTargets(labels, CLASSES, 0.1, mix));
        lambdas.add(mix.lambda);
      }
    }
    expect(lambdas.size).toBeGreaterThan(6);
  });

  it('depends on neither threads, nor the cache, nor how far it reads ahead', async () => {
    const expected = exactly(await collect(await open({ videos: mixed }), 3));
    for (const options of [
      { workers: 3 },
      { cacheBytes: 0 },
      { cacheBytes: 60_000, workers: 2 },
      { prefetchBatches: 0 },
    ]) {
      expect(exactly(await collect(await open({ videos: mixed, ...options }), 3))).toEqual(expected);
    }
  });

  it('depends on the seed and the epoch', async () => {
    const loader = await open();
    const contents = [
      ...exactly(await collect(loader, 0)),
      ...exactly(await collect(loader, 1)),
      ...exactly(await collect(await open({ seed: 12 }), 0)),
    ].map(({ augmentations, clips, mix }) => JSON.stringify([augmentations, clips, mix]));
    expect(new Set(contents).size).toBe(9);
  });

  it('goes on from a step as if it had never stopped, bad files included', async () => {
    const whole = await collect(await open({ videos: mixed }), 2);
    const rest = await collect(await open({ videos: mixed }), 2, 2);
    expect(whole).toHaveLength(4);
    expect(exactly(rest)).toEqual(exactly(whole.slice(2)));
  });

  it('gives each process its batches, mixed as one process would', async () => {
    const steps = exactly(await collect(await open({ videos: [...good, ...good] }), 4));
    for (const rank of [0, 1]) {
      const share = await collect(await open({ videos: [...good, ...good], rank, ranks: 2 }), 4);
      const expected = steps.filter(({ step }) => step % 2 === rank);
      expect(exactly(share)).toEqual(expected.map((batch, step) => ({ ...batch, step })));
    }
  });

  it('has full batches only', async () => {
    const batches = await collect(await open({ batchSize: 4 }));
    expect(batches.map(({ labels }) => labels.length)).toEqual([4]);
  });
});

describe('files that cannot be read', () => {
  it('are reported once and replaced, label and all', async () => {
    const reported: BadFile[] = [];
    const loader = await open({ videos: mixed, workers: 2, onBadFile: (bad) => reported.push(bad) });
    for (const epoch of [0, 1]) {
      const batches = await collect(loader, epoch);
      expect(batches).toHaveLength(4);
      expect(batches.flatMap(({ sampleIndices }) => [...sampleIndices]).sort()).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7,
      ]);
      for (const { names, labels } of batches) {
        names.forEach((name, i) => {
          const video = mixed.find(({ id }) => id === name)!;
          expect(['text.mp4', 'damaged']).not.toContain(name);
          expect(labels[i]).toBe(video.label);
        });
      }
    }
    expect(loader.badFiles.map(({ path }) => path)).toEqual([file('text.mp4'), file('damaged')]);
    expect(loader.badFiles[1]!.reason).toContain(file('damaged/1.jpg'));
    expect(reported).toHaveLength(2);
  });

  it('in part are shown where they are whole, whatever was loaded before', async () => {
    await writeNumberedFolder(file('in part'), 30, (i) => `${i}.png`);
    for (const frame of [10, 12]) writeFileSync(file(`in part/${frame}.png`), 'no image');
    const videos = [...good.slice(0, 3), ...labelled(['in part'])];
    const loader = await open({ videos, ...PLAIN });
    const shown: string[] = [];
    for (let epoch = 0; epoch < 6; epoch++) {
      const batches = await collect(loader, epoch);
      shown.push(
        ...batches.flatMap(({ names, sampleIndices }) => names.filter((_, i) => sampleIndices[i] === 3)),
      );
      const fresh = await open({ videos, ...PLAIN, cacheBytes: 0 });
      expect(exactly(await collect(fresh, epoch))).toEqual(exactly(batches));
    }
    expect(shown.filter((name) => name === 'in part').length).toBeGreaterThan(0);
    expect(shown.filter((name) => name !== 'in part').length).toBeGreaterThan(0);
    expect(loader.badFiles).toEqual([
      { path: file('in part'), reason: expect.stringContaining(file('in part/1')) as string },
    ]);
  });

  it('end the run when there are no others', async () => {
    const loader = await open({ videos: labelled(['text.mp4', 'damaged']) });
    await expect(collect(loader)).rejects.toThrow(NoReadableVideoError);
    await expect(open({ videos: [] })).rejects.toThrow(NoReadableVideoError);
  });
});

describe('options and closing', () => {
  it.each<[Partial<LabelledClipLoaderOptions>, string]>([
    [{ batchSize: 0 }, 'batchSize is 0'],
    [
      { batchSize: 3 },
      'batchSize is 3: mixup and CutMix mix the clips of a batch in pairs. Give an even batchSize, or',
    ],
    [{ batchSize: 8 }, 'A batch takes 8 clips and there are 6 videos: lower batchSize'],
    [{ classes: 2 }, 'the label of short.mp4 is 2: with 2 classes, labels are 0 to 1'],
    [{ labelSmoothing: 1 }, 'smoothing is 1'],
    [{ mix: { mixupAlpha: -1 } }, 'mixupAlpha is -1'],
    [{ transform: { randAugment: { magnitude: 11 } } }, 'magnitude is 11'],
    [{ transform: { erasing: { probability: 2 } } }, 'probability is 2'],
    [{ seed: -1 }, 'seed is -1'],
    [{ rank: 1 }, 'rank is 1'],
  ])('refuses %j', async (options, message) => {
    const opening = open(options);
    await expect(opening).rejects.toThrow(RangeError);
    await expect(opening).rejects.toThrow(message);
  });

  it('takes an odd batch that is not mixed', async () => {
    const [batch] = await collect(await open({ batchSize: 3, mix: false }));
    expect(batch!.labels).toHaveLength(3);
  });

  it('refuses work after close', async () => {
    const loader = await open();
    await loader.close();
    await expect(collect(loader)).rejects.toThrow(DecoderClosedError);
  });
});

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import type { Classifier } from '@tubelet/mae-dfer';
import { softmax } from '@tubelet/trainer';
import {
  NoReadableVideoError,
  openDataset,
  TestClipLoader,
  type BadFile,
  type LabelledVideo,
} from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import { inProcessRanks } from '../../../../packages/mpi/src/testing/in-process.js';
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { readClassifierFile } from '../classifier/classifier-file.js';
import { crossEntropyOf, evaluateVideos, type EvaluateOptions } from './evaluate.js';
import { openClassifier, scoreClips } from '../classifier/inference.js';
import { writeTinyClassifier } from '../testing/tiny-classifier.js';

let runtime: Runtime;
let folder: string;
let classifier: Classifier;
let videos: readonly LabelledVideo[];
let options: EvaluateOptions;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-evaluate-'));
  const { root } = await writeMiniature('csv', join(folder, 'data'), { frames: 6, size: 32 });
  const dataset = await openDataset({ name: 'csv', root });
  const { train, test } = dataset.split(1);
  // Every batch has the same shape: the software driver takes seconds to compile for each.
  videos = [...train.slice(0, 4), ...test.slice(0, 4)];
  const classNames = dataset.classes;
  options = { classNames, clips: 2, batchSize: 2, frameStep: 1, crop: 'none', workers: 1 };
  await writeTinyClassifier(join(folder, 'tiny.safetensors'), { classNames });
  runtime = await openNodeRuntime();
  classifier = openClassifier(runtime, await readClassifierFile(join(folder, 'tiny.safetensors')));
});
afterAll(() => {
  closeNodeRuntime(runtime);
  rmSync(folder, { recursive: true, force: true });
});

describe('cross-entropy', () => {
  it('is −log softmax, also of logits whose powers overflow', () => {
    const logits = [0.5, -1, 2];
    expect(crossEntropyOf(logits, 1)).toBeCloseTo(-Math.log(softmax(logits)[1]!), 12);
    expect(crossEntropyOf([2000, 0], 1)).toBe(2000);
    expect(crossEntropyOf([2000, 0], 0)).toBe(0);
  });
});

describe('the evaluation of videos', () => {
  it('averages the probabilities of the clips of each video and counts its decisions', async () => {
    const progress: [number, number][] = [];
    const { scores, metrics, loss, leftOut } = await evaluateVideos(classifier, videos, {
      ...options,
      progress: (scored, total) => progress.push([scored, total]),
    });
    const loader = await TestClipLoader.open({
      videos,
      batchSize: 2,
      size: 32,
      frames: 4,
      step: 1,
      workers: 1,
    });
    const probabilities = videos.map((): number[][] => []);
    let lossSum = 0;
    for await (const { video, logits } of scoreClips(classifier, loader.batches())) {
      probabilities[video]!.push(softmax(logits));
      lossSum += crossEntropyOf(logits, videos[video]!.label);
    }
    await loader.close();

    expect(scores.map(({ id, label, views }) => ({ id, label, views }))).toEqual(
      videos.map(({ id, label }) => ({ id, label, views: 2 })),
    );
    scores.forEach((score, i) => {
      const [first, second] = probabilities[i] as [number[], number[]];
      score.probabilities.forEach((p, k) => expect(p).toBeCloseTo((first[k]! + second[k]!) / 2, 5));
    });
    const right = scores.filter(({ label, predicted }) => label === predicted).length;
    expect(metrics).toMatchObject({ count: videos.length, war: right / videos.length });
    expect(loss).toBeCloseTo(lossSum / (2 * videos.length), 5);
    expect(leftOut).toEqual([]);
    expect(progress.at(-1)).toEqual([2 * videos.length, 2 * videos.length]);
    expect(progress[0]).toEqual([2, 2 * videos.length]);
  });

  it('finds all right where the labels are the decisions', async () => {
    const { scores } = await evaluateVideos(classifier, videos, { ...options, clips: 1 });
    const agreed = videos.map((video, i) => ({ ...video, label: scores[i]!.predicted }));
    const { metrics, loss } = await evaluateVideos(classifier, agreed, {
      ...options,
      clips: 1,
      batchSize: 3,
    });
    expect(metrics).toMatchObject({ war: 1, uar: 1 });
    const surprise = scores.map(({ probabilities, predicted }) => -Math.log(probabilities[predicted]!));
    expect(loss).toBeCloseTo(surprise.reduce((sum, value) => sum + value, 0) / scores.length, 5);
  });

  it('leaves out what cannot be decoded, and says so', async () => {
    mkdirSync(join(folder, 'empty'));
    const empty = { id: 'empty', path: join(folder, 'empty'), label: 0 };
    const told: BadFile[] = [];
    const { scores, leftOut, metrics } = await evaluateVideos(classifier, [videos[0]!, empty, videos[1]!], {
      ...options,
      onBadFile: (file) => told.push(file),
    });
    expect(scores.map(({ id }) => id)).toEqual([videos[0]!.id, videos[1]!.id]);
    expect(metrics.count).toBe(2);
    expect(leftOut).toEqual([{ id: 'empty', reason: told[0]!.reason }]);
    expect(told.map(({ path }) => path)).toEqual([empty.path]);
    await expect(evaluateVideos(classifier, [empty], options)).rejects.toThrow(NoReadableVideoError);
  });

  it('is shared out among ranks, none of which counts a video twice', async () => {
    const bad = { id: 'bad', path: join(folder, 'none'), label: 0 };
    mkdirSync(bad.path);
    const subject = [...videos.slice(0, 3), bad, ...videos.slice(3)];
    const alone = await evaluateVideos(classifier, subject, options);
    const file = await readClassifierFile(join(folder, 'tiny.safetensors'));
    const runtimes = await Promise.all([1, 2, 3].map(() => openNodeRuntime()));
    const told: string[][] = [[], [], []];
    const shared = await Promise.all(
      inProcessRanks(3).map((ranks, i) =>
        evaluateVideos(openClassifier(runtimes[i]!, file), subject, {
          ...options,
          ranks,
          onBadFile: ({ path }) => told[i]!.push(path),
        }),
      ),
    );
    for (const result of shared) expect(result).toEqual(alone);
    expect(told).toEqual([[bad.path], [bad.path], [bad.path]]);
    for (const other of runtimes) other.destroy();
  });

  it('refuses labels outside the classes', async () => {
    const wrong = [{ ...videos[0]!, label: options.classNames.length }];
    await expect(evaluateVideos(classifier, wrong, options)).rejects.toThrow(
      /has label 3; there are 3 classes/,
    );
  });
});

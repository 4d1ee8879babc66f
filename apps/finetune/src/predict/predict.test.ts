import type { PredictOptions } from './predict-options.js';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as gpu from '@tubelet/kernels/node';
import { OptionError, softmax, svgToPng, UserError } from '@tubelet/trainer';
import { saveCheckpoint } from '@tubelet/trainer/formats';
import {
  NoReadableVideoError,
  TestClipLoader,
  VideoSourceError,
  type CropMode,
  type TestVideo,
} from '@tubelet/video';
import { readClassifierFile } from '../classifier/classifier-file.js';
import { openClassifier, scoreClips } from '../classifier/inference.js';
import { predict } from './predict.js';
import { collectingTerminal, type CollectingTerminal } from '../testing/collecting-terminal.js';
import { writePatternVideo } from '../testing/pattern-videos.js';
import { writeTinyClassifier } from '../testing/tiny-classifier.js';

let folder = '';
const at = (...names: string[]) => join(folder, ...names);

/** What the program says; the batch size is the same everywhere, as each one is compiled anew. */
async function run(
  sources: readonly string[],
  options: Partial<PredictOptions> = {},
): Promise<CollectingTerminal> {
  const io = collectingTerminal();
  const checkpoint = at('run', 'checkpoints', 'step-00000003.safetensors');
  await predict(sources, { checkpoint, batchSize: 2, workers: 1, ...options }, io);
  return io;
}

interface JsonRecord {
  readonly path: string;
  readonly label?: string;
  readonly startSeconds?: number;
  readonly endSeconds?: number;
  readonly predicted: string;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly clips: number;
}

const records = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonRecord);

/** Mean probabilities of videos by the parts that `predict` is made of. */
async function expectedProbabilities(
  videos: readonly TestVideo[],
  { clips, step, crop }: { clips: number; step: number; crop?: CropMode },
): Promise<number[][]> {
  const file = await readClassifierFile(at('run', 'checkpoints', 'step-00000003.safetensors'));
  const loader = await TestClipLoader.open({
    videos,
    clips,
    step,
    crop,
    frames: 4,
    size: 32,
    batchSize: 2,
    workers: 1,
  });
  const runtime = await gpu.openNodeRuntime();
  const sums = videos.map(() => [0, 0, 0]);
  for await (const { video, logits } of scoreClips(openClassifier(runtime, file), loader.batches()))
    softmax(logits).forEach((probability, k) => (sums[video]![k]! += probability / clips));
  gpu.closeNodeRuntime(runtime);
  await loader.close();
  return sums;
}

const values = ({ probabilities }: JsonRecord) => Object.values(probabilities);

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 5));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-predict-'));
  await mkdir(at('clips'));
  await mkdir(at('broken'));
  for (const kind of [0, 1, 2]) await writePatternVideo(at('clips', `${kind}.mp4`), kind, 20 + 4 * kind);
  await writePatternVideo(at('long.mp4'), 3, 80);
  await writeFile(at('broken', 'text.mp4'), 'no video\n');
  await writeFile(at('list.txt'), 'clips/0.mp4 glad\nbroken/text.mp4 sad\nclips/1.mp4 calm\ngone.mp4 sad\n');
  await writeTinyClassifier(at('run', 'checkpoints', 'step-00000003.safetensors'));
  await writeTinyClassifier(at('run', 'checkpoints', 'step-00000001.safetensors'), { seed: 1 });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rm(folder, { recursive: true }));

describe('predict', () => {
  it('needs a video and a run, and prints every class', async () => {
    const io = collectingTerminal();
    const open = vi.spyOn(gpu, 'openNodeRuntime');
    await predict([at('clips', '0.mp4')], { checkpoint: at('run'), batchSize: 2, workers: 1 }, io);
    expect(open).toHaveBeenCalledOnce();
    const lines = io.written.join('').trimEnd().split('\n');
    expect(lines[0]).toBe(`${at('clips', '0.mp4')}, mean of 2 clips:`);
    expect(
      lines.slice(1).map((line) => /^ {2}(\w+) +\d+\.\d % {2}█*$|^ {2}(\w+) +0\.\d %$/.test(line)),
    ).toEqual([true, true, true]);
    const percents = lines.slice(1).map((line) => Number(/([\d.]+) %/.exec(line)![1]));
    expect(percents.reduce((sum, value) => sum + value, 0)).toBeCloseTo(100, 0);
    expect([...percents].sort((a, b) => b - a)).toEqual(percents);
    expect(io.notes).toEqual([
      `${at('run', 'checkpoints', 'step-00000003.safetensors')} tells 3 classes apart: glad, calm, sad`,
    ]);
    const { written } = await run([at('clips', '0.mp4')]);
    expect(written).toEqual(io.written);
  });

  it('gives the mean of the probabilities of the clips of each video', async () => {
    const { written, notes } = await run([at('clips')], { format: 'jsonl' });
    const found = records(written.join(''));
    const paths = [0, 1, 2].map((kind) => at('clips', `${kind}.mp4`));
    expect(found.map(({ path }) => path)).toEqual(paths);
    const videos = paths.map((path) => ({ path }));
    const expected = await expectedProbabilities(videos, { clips: 2, step: 2 });
    found.forEach((record, i) => {
      expectClose(values(record), expected[i]!);
      const best = expected[i]!.indexOf(Math.max(...expected[i]!));
      expect(record).toMatchObject({ predicted: ['glad', 'calm', 'sad'][best], clips: 2 });
    });
    // The classifier does answer differently: else this would show nothing.
    expect(Math.abs(expected[0]![0]! - expected[1]![0]!)).toBeGreaterThan(1e-3);
    expect(notes).toHaveLength(1);
  });

  it('takes another number of clips, frame step and crop where they are asked for', async () => {
    const path = at('clips', '2.mp4');
    const { written } = await run([path], { format: 'jsonl', clips: 4, frameStep: 3, crop: 'voxceleb' });
    const [expected] = await expectedProbabilities([{ path }], { clips: 4, step: 3, crop: 'voxceleb' });
    expectClose(values(records(written.join(''))[0]!), expected!);
    expect(records(written.join(''))[0]!.clips).toBe(4);
  });

  it('takes a single image for a video in which nothing moves', async () => {
    const path = at('picture.png');
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><circle r="20" fill="red"/></svg>';
    await writeFile(path, await svgToPng(svg));
    const { written } = await run([path], { format: 'jsonl' });
    const [expected] = await expectedProbabilities([{ path }], { clips: 2, step: 2 });
    expectClose(values(records(written.join(''))[0]!), expected!);
  });

  it('writes lines of a file as its name says, with labels, and names what is left out', async () => {
    const { written, notes } = await run([at('list.txt')], { out: at('new', 'answers.csv') });
    expect(written).toEqual([]);
    const lines = (await readFile(at('new', 'answers.csv'), 'utf8')).trimEnd().split('\n');
    expect(lines[0]).toBe('path,label,predicted,p_glad,p_calm,p_sad,clips');
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 2))).toEqual([
      [at('clips', '0.mp4'), 'glad'],
      [at('clips', '1.mp4'), 'calm'],
    ]);
    const [skipped, , bad, wrote, warning] = notes;
    expect(skipped).toBe(`leaving out ${at('gone.mp4')}: missing (line 4 of ${at('list.txt')})`);
    expect(bad).toContain(`cannot use ${at('broken', 'text.mp4')}: `);
    expect(wrote).toBe(`wrote ${at('new', 'answers.csv')}`);
    expect(warning).toBe('warning: 2 of 4 files were left out, as told above');
  });

  it('fails when no video can be read, before the GPU is opened', async () => {
    const open = vi.spyOn(gpu, 'openNodeRuntime');
    const out = at('never.csv');
    await expect(run([at('broken')], { out })).rejects.toThrow(NoReadableVideoError);
    await expect(run([at('broken')], { window: 1, out })).rejects.toThrow(/None of the 1 videos/);
    await expect(readFile(out)).rejects.toThrow('ENOENT');
    expect(open).not.toHaveBeenCalled();
  });

  it('takes the GPU that is asked for', async () => {
    await expect(run([at('clips', '0.mp4')], { gpu: 99 })).rejects.toThrow(gpu.GpuChoiceError);
  });
});

describe('predict --window', () => {
  it('scores windows like videos of their own, their frames closer where they are short', async () => {
    const { written, notes } = await run([at('long.mp4')], {
      window: 0.2,
      hop: 1.5,
      clips: 2,
      format: 'jsonl',
    });
    const found = records(written.join(''));
    const spans = found.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);
    expect(spans).toEqual([
      [0, 0.2],
      [1.5, 1.7],
      [3, 3.2],
    ]);
    // 5 frames: every frame, as every second one would take 7.
    const videos = found.map(({ path, startSeconds, endSeconds }) => ({
      path,
      timeRange: { startSeconds, endSeconds },
    }));
    const expected = await expectedProbabilities(videos, { clips: 2, step: 1 });
    found.forEach((record, i) => expectClose(values(record), expected[i]!));
    expect(found.map(({ clips }) => clips)).toEqual([2, 2, 2]);
    expect(notes[1]).toMatch(/^windows of 0\.2 s have no room for 4 frames at a step of 2: .* of 1$/);
  });

  it('keeps to a frame step that is given, and takes one clip where there is no room for two', async () => {
    const { written, notes } = await run([at('long.mp4')], {
      window: 0.2,
      hop: 1.5,
      frameStep: 2,
      format: 'jsonl',
    });
    const [first] = records(written.join(''));
    const timeRange = { startSeconds: 0, endSeconds: 0.2 };
    const [expected] = await expectedProbabilities([{ path: at('long.mp4'), timeRange }], {
      clips: 1,
      step: 2,
    });
    expectClose(values(first!), expected!);
    expect(first!.clips).toBe(1);
    expect(notes).toHaveLength(1);
  });

  it.each(['svg', 'png'])('draws probabilities over time as %s', async (extension) => {
    const plot = at('plots', `long.${extension}`);
    const { written, notes } = await run([at('long.mp4')], { window: 1, plot, format: 'jsonl' });
    const found = records(written.join(''));
    expect(found.map(({ startSeconds }) => startSeconds)).toEqual([0, 0.5, 1, 1.5, 2, 2.2]);
    expect(found.map(({ clips }) => clips)).toEqual(new Array(6).fill(2));
    expect(notes.at(-1)).toBe(`drew ${plot}`);
    const bytes = await readFile(plot);
    if (extension === 'png') expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    else {
      const text = bytes.toString();
      for (const word of ['long.mp4', 'glad', 'calm', 'sad', 'time (s)']) expect(text).toContain(word);
    }
  });
});

describe('what cannot be used is refused:', () => {
  it.each<[string, Partial<PredictOptions>, string]>([
    ['a hop without windows', { hop: 1 }, '--hop'],
    ['a plot without windows', { plot: 'a.svg' }, '--plot'],
    ['a plot of another kind', { window: 1, plot: 'a.pdf' }, '.svg or .png'],
    ['--top for CSV', { top: 2, format: 'csv' }, '--top'],
    ['--top for a file of JSON lines', { top: 2, out: 'a.jsonl' }, '--top'],
    ['a file whose name tells no format', { out: 'a.xlsx' }, '.txt, .csv or .jsonl'],
    ['a folder as --out', { out: tmpdir() }, '--out'],
  ])('%s, before the checkpoint is looked for', async (_, options, message) => {
    const running = run(['gone.mp4'], { checkpoint: 'gone', ...options });
    await expect(running).rejects.toThrow(OptionError);
    await expect(running).rejects.toThrow(message);
  });

  it('a file below a file as --out', async () => {
    await expect(run([at('clips')], { out: at('list.txt', 'a.csv') })).rejects.toThrow(/list\.txt is a file/);
  });

  it('a plot of many videos', async () => {
    await expect(run([at('clips')], { window: 1, plot: at('a.svg') })).rejects.toThrow(/there are 3/);
  });

  it('a source that is not there', async () => {
    await expect(run([at('gone.mp4')])).rejects.toThrow(VideoSourceError);
  });

  it('a checkpoint that is none, or one of something else', async () => {
    await expect(run([at('clips')], { checkpoint: at('gone') })).rejects.toThrow(UserError);
    await saveCheckpoint(at('other.safetensors'), { tensors: new Map(), metadata: {} });
    const running = run([at('clips')], { checkpoint: at('other.safetensors') });
    await expect(running).rejects.toThrow('is not a classifier');
  });
});

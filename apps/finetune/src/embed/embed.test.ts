import type { EmbedOptions } from './embed-options.js';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeSafetensors, type SafetensorsContent } from '@tubelet/autograd/formats';
import * as gpu from '@tubelet/kernels/node';
import { OptionError, UserError } from '@tubelet/trainer';
import { NoReadableVideoError, ShardMaker, TestClipLoader } from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { readClassifierFile } from '../classifier/classifier-file.js';
import { namesOfLabels } from './embed-set.js';
import { embed } from './embed.js';
import { openClassifier, scoreClips } from '../classifier/inference.js';
import { collectingTerminal, type CollectingTerminal } from '../testing/collecting-terminal.js';
import { writePatternVideo } from '../testing/pattern-videos.js';
import { writeTinyClassifier } from '../testing/tiny-classifier.js';

let folder = '';
let root = '';
const at = (...names: string[]) => join(folder, ...names);
const videos = () => [0, 1, 2, 3].map((kind) => at('clips', `${kind}.mp4`));

/** What the program says; the batch size is the same everywhere, as each one is compiled anew. */
async function run(
  sources: readonly string[],
  options: Partial<EmbedOptions> = {},
): Promise<CollectingTerminal> {
  const io = collectingTerminal();
  const defaults = { checkpoint: at('tiny.safetensors'), out: at('features.safetensors'), clips: 2 };
  await embed(sources, { ...defaults, batchSize: 2, workers: 1, ...options }, io);
  return io;
}

const read = async (name: string): Promise<SafetensorsContent> =>
  decodeSafetensors(new Uint8Array(await readFile(at(name))));

/** Mean features of videos by the parts that `embed` is made of. */
async function expectedFeatures(): Promise<number[]> {
  const loader = await TestClipLoader.open({
    videos: videos().map((path) => ({ path })),
    step: 2,
    frames: 4,
    size: 32,
    batchSize: 2,
    workers: 1,
  });
  const runtime = await gpu.openNodeRuntime();
  const classifier = openClassifier(runtime, await readClassifierFile(at('tiny.safetensors')));
  const sums = videos().map(() => new Array<number>(32).fill(0));
  for await (const { video, feature } of scoreClips(classifier, loader.batches()))
    feature.forEach((value, i) => (sums[video]![i]! += value / 2));
  gpu.closeNodeRuntime(runtime);
  await loader.close();
  return sums.flat();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-embed-'));
  await mkdir(at('clips'));
  for (const [kind, path] of videos().entries()) await writePatternVideo(path, kind, 16);
  await writeFile(at('text.mp4'), 'no video\n');
  await writeFile(at('list.txt'), 'clips/0.mp4 2\nclips/1.mp4\ntext.mp4 0\nclips/2.mp4 1\n');
  const { root: csv } = await writeMiniature('csv', at('data'), { frames: 5, size: 32 });
  root = csv;
  const classNames = ['frown', 'neutral', 'smile'];
  await writeTinyClassifier(at('tiny.safetensors'), { classNames });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rm(folder, { recursive: true }));

describe('embed', () => {
  it('writes the mean features of the clips of each video', async () => {
    const open = vi.spyOn(gpu, 'openNodeRuntime');
    const { notes } = await run([at('clips')]);
    expect(open).toHaveBeenCalledOnce();
    const { tensors, metadata } = await read('features.safetensors');
    const { shape, data } = tensors.get('features')!;
    expect(shape).toEqual([4, 32]);
    const expected = await expectedFeatures();
    Array.from(data as Float32Array, (value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    expect(Math.max(...expected)).toBeGreaterThan(0.5);
    expect(JSON.parse(metadata.ids!)).toEqual(videos());
    expect(notes).toEqual([
      `${at('tiny.safetensors')}: 32 features of each of 4 videos`,
      `wrote ${at('features.safetensors')}: 4 videos`,
    ]);
  });

  it('takes labels from a list, and tells of what cannot be read', async () => {
    const { notes } = await run([at('list.txt')], { out: at('list.csv') });
    const lines = (await readFile(at('list.csv'), 'utf8')).trimEnd().split('\n');
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 2))).toEqual([
      [at('clips', '0.mp4'), 'smile'],
      [at('clips', '1.mp4'), ''],
      [at('clips', '2.mp4'), 'neutral'],
    ]);
    expect(notes[1]).toContain(`cannot use ${at('text.mp4')}: `);
    expect(notes.at(-1)).toBe('warning: 1 files were left out, as told above');
  });

  it('takes the clips of shards', async () => {
    const entries = videos().map((path) => ({ path }));
    const maker = await ShardMaker.open({
      entries,
      size: 32,
      crop: 'none',
      keyFrameInterval: 4,
      shardBytes: 2 ** 20,
      workers: 1,
    });
    const ignore = () => undefined;
    await maker.write(at('shards'), false, ignore, () => false);
    await maker.close();
    const { notes } = await run([at('shards')], { out: at('shards.safetensors') });
    expect(notes.at(-1)).toBe(`wrote ${at('shards.safetensors')}: 4 videos`);
  });

  it('takes the part of a data set that is asked for, and draws it by label, always the same', async () => {
    const pictures: string[] = [];
    for (const name of ['a.svg', 'b.svg']) {
      const picture = at(name);
      await run([], { data: 'csv', root, fold: 1, part: 'all', out: at('data.safetensors'), picture });
      pictures.push(await readFile(picture, 'utf8'));
    }
    expect(pictures[1]).toBe(pictures[0]);
    const { tensors, metadata } = await read('data.safetensors');
    const labels = Array.from(tensors.get('labels')!.data as Int32Array);
    expect(pictures[0]).toContain(`UMAP of ${labels.length} videos by label`);
    expect(JSON.parse(metadata.labelNames!)).toEqual(['frown', 'neutral', 'smile']);
    expect(new Set(labels)).toEqual(new Set([0, 1, 2]));

    await run([], { data: 'csv', root, out: at('part.safetensors') });
    const ids = (await read('part.safetensors')).metadata.ids!;
    const [all, test] = [metadata.ids!, ids].map((text) => JSON.parse(text) as string[]);
    expect(test!.length).toBeLessThan(all!.length);
    expect(all).toEqual(expect.arrayContaining(test!));
  });

  it('draws by predicted class where there are no labels, as PNG too', async () => {
    const { notes } = await run([at('clips')], {
      picture: at('picture.png'),
      neighbors: 2,
      minDist: 0.5,
      seed: 4,
    });
    expect(notes.at(-1)).toBe(`drew ${at('picture.png')}`);
    expect((await readFile(at('picture.png'))).subarray(1, 4).toString()).toBe('PNG');
  });

  it('tells when too few videos for a picture could be read, the features being written', async () => {
    await writeFile(at('few.txt'), 'clips/0.mp4\nclips/1.mp4\ntext.mp4\n');
    const running = run([at('few.txt')], { out: at('few.jsonl'), picture: at('few.svg') });
    await expect(running).rejects.toThrow('at least 3 videos, and there are 2');
    expect((await readFile(at('few.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('what cannot be used is refused before the GPU is opened:', () => {
  it.each<[string, string[], Partial<EmbedOptions>, string]>([
    ['neither videos nor a data set', [], {}, 'sources'],
    ['both', ['a.mp4'], { data: 'csv', root: 'a' }, '--data'],
    ['a data set without its place', [], { data: 'csv' }, '--root'],
    ['a place without a data set', ['a.mp4'], { root: 'a' }, '--root'],
    ['a fold without a data set', ['a.mp4'], { fold: 1 }, '--fold'],
    ['a part without a data set', ['a.mp4'], { part: 'test' }, '--part'],
    ['neighbours without a picture', ['a.mp4'], { neighbors: 5 }, '--neighbors'],
    ['a seed without a picture', ['a.mp4'], { seed: 0 }, '--seed'],
    ['a file of another kind', ['a.mp4'], { out: 'a.npy' }, '.safetensors, .csv, .jsonl'],
    ['a picture of another kind', ['a.mp4'], { picture: 'a.gif' }, '.svg or .png'],
  ])('%s', async (_, sources, options, message) => {
    const running = run(sources, { checkpoint: 'gone', ...options });
    await expect(running).rejects.toThrow(OptionError);
    await expect(running).rejects.toThrow(message);
  });

  it.each<[string, () => Promise<unknown>, new (...parameters: never[]) => Error, string]>([
    [
      'more neighbours than videos',
      () => run([at('clips')], { picture: at('a.svg'), neighbors: 4 }),
      OptionError,
      'less than the 4',
    ],
    [
      'a picture of two videos',
      () => run(videos().slice(2), { picture: at('a.svg') }),
      UserError,
      'there are 2',
    ],
    ['a fold that there is not', () => run([], { data: 'csv', root, fold: 9 }), OptionError, '--fold'],
    ['videos of which none can be read', () => run([at('text.mp4')]), NoReadableVideoError, 'None of the 1'],
  ])('%s', async (_, running, kind, message) => {
    const open = vi.spyOn(gpu, 'openNodeRuntime');
    const error = await running().then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error!.message).toContain(message);
    expect(open).not.toHaveBeenCalled();
  });
});

describe('names of the labels of a list', () => {
  const classNames = ['glad', 'calm', 'sad'];

  it.each([
    [['sad', 'glad'], classNames],
    [['2', '0'], classNames],
    [
      ['3', '0'],
      ['0', '3'],
    ],
    [
      ['zest', 'glad', 'awe', 'awe'],
      ['awe', 'glad', 'zest'],
    ],
  ])('%j are %j', (labels, names) => {
    expect(namesOfLabels(labels, classNames)).toEqual(names);
  });
});

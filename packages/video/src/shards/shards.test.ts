import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { unpackTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decoders } from '../decode/decoders.js';
import type { VideoInfo } from '../decode/video-info.js';
import { ShardFolderError, VideoDecodeError } from '../errors.js';
import { ClipLoader, type ClipBatch } from '../loader/loader.js';
import { DecoderPool } from '../loader/pool.js';
import type { VideoEntry } from '../sources/video-entry.js';
import { listVideos } from '../sources/source.js';
import {
  encodeVideo,
  frameNumbers,
  MPEG4,
  numberedFrames,
  temporaryFolder,
  wasmFfmpeg,
  writeNumberedFolder,
  writeNumberedVideo,
} from '../testing/videos.js';
import type { DecoderProcess } from '../webcodecs/client.js';
import { encodeClip } from './encode-clip.js';
import type { ClipDescription } from './member.js';
import { INDEX_NAME, REJECTS_NAME } from './shard-index.js';
import { ShardWriter } from './shard-writer.js';
import { ShardMaker, type ShardOptions } from './write-shards.js';
import { toRgb } from '../pixels/to-rgb.js';
import { rgbOfClips } from '../testing/rgb.js';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.path, ...names);
const SIZE = 32;
/** Small shards, so that there are several. */
const SETTINGS = {
  size: SIZE,
  crop: 'none',
  keyFrameInterval: 8,
  shardBytes: 12_000,
  workers: 2,
} as const;
let entries: VideoEntry[];
/** With the settings above. Its threads and processes take a second to start. */
let usual: ShardMaker;

async function make(
  out: string,
  {
    stopAfter = Infinity,
    resume = false,
    ...changes
  }: Partial<ShardOptions> & { stopAfter?: number; resume?: boolean } = {},
) {
  const isUsual = Object.keys(changes).length === 0;
  const maker = isUsual ? usual : await ShardMaker.open({ entries, ...SETTINGS, ...changes });
  const rejected: (string | undefined)[] = [];
  let sources = 0;
  try {
    const { finished } = await maker.write(
      at(out),
      resume,
      (_, file) => {
        sources++;
        if (file !== undefined) rejected.push(file.path);
      },
      () => sources >= stopAfter,
    );
    return { finished, rejected, sources };
  } finally {
    if (!isUsual) await maker.close();
  }
}

const contents = (out: string) =>
  Object.fromEntries(
    readdirSync(at(out)).map((name) => [name, readFileSync(at(out, name)).toString('base64')]),
  );

beforeAll(async () => {
  mkdirSync(at('videos'));
  for (const [name, count] of [
    ['a.mp4', 40],
    ['b.mp4', 25],
    ['c.mp4', 60],
    ['d.mp4', 33],
  ] as const) {
    await writeNumberedVideo(at('videos', name), count);
  }
  copyFileSync(at('videos', 'c.mp4'), at('videos', 'cut.mp4'));
  truncateSync(at('videos', 'cut.mp4'), 900);
  writeFileSync(at('videos', 'text.mp4'), 'no video');
  await encodeVideo(at('videos', 'old.avi'), numberedFrames(30, 32, 24), {
    width: 32,
    height: 24,
    options: MPEG4,
  });
  await writeNumberedFolder(at('videos', 'frames'), 12, (i) => `${i}.png`);
  ({ entries } = await listVideos(at('videos')));
  usual = await ShardMaker.open({ entries, ...SETTINGS });
  await make('whole');
});
afterAll(async () => {
  await usual.close();
  folder.remove();
});

describe('shards', () => {
  it('hold every video that can be read, under keys that rise, with its description', async () => {
    const { rejected, finished } = await make('again', { workers: 1 });
    expect(finished).toBe(true);
    expect(rejected).toEqual([at('videos', 'cut.mp4'), at('videos', 'text.mp4')]);
    const left = readFileSync(at('again', REJECTS_NAME), 'utf8').trimEnd().split('\n');
    expect(left).toEqual(rejected.map((path) => expect.stringMatching(new RegExp(`^${path}\t.`))));
    const shards = readdirSync(at('again')).filter((name) => name.endsWith('.tar'));
    expect(shards.length).toBeGreaterThan(2);
    const files = (
      await Promise.all(shards.map((name) => unpackTar(readFileSync(at('again', name)), { strict: true })))
    ).flat();
    const keys = [
      '000000000-a',
      '000000001-b',
      '000000002-c',
      '000000004-d',
      '000000005-frames',
      '000000006-old',
    ];
    expect(files.map(({ header }) => header.name)).toEqual(
      keys.flatMap((key) => [`${key}.json`, `${key}.mp4`]),
    );
    const description = JSON.parse(Buffer.from(files[0]!.data!).toString()) as ClipDescription;
    expect(description).toMatchObject({ source: at('videos', 'a.mp4'), frames: 40, framesPerSecond: 25 });
    for (const name of shards)
      expect(statSync(at('again', name)).size).toBeLessThanOrEqual(SETTINGS.shardBytes);
    expect(contents('again')).toEqual(contents('whole'));
  });

  it('show the frames of their sources, found by every decoder as a file of its own is', async () => {
    const { entries: clips } = await listVideos(at('whole'));
    expect(clips.map(({ path }) => path.slice(-6))).toEqual(
      ['-a.mp4', '-b.mp4', '-c.mp4', '-d.mp4', 's.mp4', 'ld.mp4'].map((end) => expect.stringContaining(end)),
    );
    const shape = { size: SIZE, crop: 'none' } as const;
    const pools = {
      webcodecs: await DecoderPool.open({ workers: 1, decoder: 'webcodecs' }),
      wasm: await DecoderPool.open({ workers: 1, decoder: 'ffmpeg', ffmpeg: await wasmFfmpeg() }),
    };
    try {
      for (const [i, count] of [40, 25, 60, 33, 12, 30].entries()) {
        const { path, member } = clips[i] as VideoEntry;
        const info = await pools.webcodecs.probe(path, member);
        expect(info.frameCount).toBe(count);
        const frames = await pools.webcodecs.readRange(info, shape);
        expect(frameNumbers(toRgb(frames, SIZE), SIZE)).toEqual(
          Array.from({ length: count }, (_, frame) => frame),
        );
        const clip = [3, 7, 11];
        const expected = await pools.webcodecs.readClip(info, clip, shape);
        expect(await pools.wasm.readClip(info, clip, shape)).toEqual(expected);
        const { shard, video } = member!;
        const file = at(`extracted-${i}.mp4`);
        writeFileSync(file, readFileSync(shard).subarray(video.begin, video.begin + video.length));
        const { path: _path, part: _part, ...known } = info;
        const { path: _file, ...found } = await pools.webcodecs.probe(file);
        expect({ ...found, timesSeconds: [...found.timesSeconds] }).toEqual({
          ...known,
          timesSeconds: [...known.timesSeconds].map((time) => expect.closeTo(time, 6)),
        });
      }
    } finally {
      await pools.webcodecs.close();
      await pools.wasm.close();
    }
  });

  it('have key frames at the interval that was asked for', async () => {
    const { entries: clips } = await listVideos(at('whole'));
    const { shard, video } = clips[0]!.member!;
    const bytes = readFileSync(shard).subarray(video.begin, video.begin + video.length);
    const { Input, BufferSource, EncodedPacketSink, MP4 } = await import('mediabunny');
    const input = new Input({ source: new BufferSource(bytes), formats: [MP4] });
    const types: string[] = [];
    for await (const { type } of new EncodedPacketSink((await input.getPrimaryVideoTrack())!).packets())
      types.push(type);
    input.dispose();
    expect(types).toEqual(Array.from({ length: 40 }, (_, i) => (i % 8 === 0 ? 'key' : 'delta')));
  });

  it.each([1, 3, 4, 7])('are the same when stopped after %d sources and gone on with', async (stopAfter) => {
    const out = `stopped-${stopAfter}`;
    expect(await make(out, { stopAfter })).toMatchObject({ finished: stopAfter >= entries.length });
    await expect(listVideos(at(out))).rejects.toThrow(/not complete: .*--resume/);
    expect((await make(out, { resume: true })).sources).toBe(entries.length - stopAfter);
    expect(contents(out)).toEqual(contents('whole'));
  });

  it('are the same after a death in the middle of a write', async () => {
    await make('torn', { stopAfter: 5 });
    cpSync(at('torn'), at('lost'), { recursive: true });
    const shards = readdirSync(at('torn'))
      .filter((name) => name.endsWith('.tar'))
      .sort();
    // A line cut off, half a clip behind the last one, and a shard that the index does not know.
    appendFileSync(at('torn', INDEX_NAME), '{"key":"0000');
    appendFileSync(at('torn', shards.at(-1)!), Buffer.alloc(700, 7));
    writeFileSync(at('torn', 'shard-000009.tar'), 'half');
    await make('torn', { resume: true });
    expect(contents('torn')).toEqual(contents('whole'));
    // A line whose clip never reached the disk.
    truncateSync(at('lost', shards.at(-1)!), 300);
    await make('lost', { resume: true });
    expect(contents('lost')).toEqual(contents('whole'));
  });

  it('are left as they are where one before the last is missing or cut short', async () => {
    await make('moved', { stopAfter: 5 });
    const first = at('moved', 'shard-000000.tar');
    truncateSync(first, 300);
    const before = contents('moved');
    await expect(make('moved', { resume: true })).rejects.toThrow(
      /shard-000000\.tar is missing or cut short/,
    );
    expect(contents('moved')).toEqual(before);
    rmSync(first);
    await expect(make('moved', { resume: true })).rejects.toThrow(ShardFolderError);
  });

  it('are not called complete where sources went away, or none gives a clip', async () => {
    const gone = at('gone.mp4');
    copyFileSync(at('videos', 'a.mp4'), gone);
    const listed = [{ path: at('videos', 'b.mp4') }, { path: gone }];
    rmSync(gone);
    await expect(make('away', { entries: listed })).rejects.toThrow(/gone\.mp4 is gone since it was listed/);
    copyFileSync(at('videos', 'a.mp4'), gone);
    expect(await make('away', { entries: listed, resume: true })).toMatchObject({
      finished: true,
      sources: 1,
    });
    const useless = make('useless', { entries: [{ path: at('videos', 'text.mp4') }] });
    await expect(useless).rejects.toThrow(/None of the 1 sources gives a clip; the first, .*text\.mp4: ./);
    expect(readFileSync(at('useless', INDEX_NAME), 'utf8')).not.toContain('complete');
  });

  it('are not begun over others, nor gone on with under other settings', async () => {
    await expect(make('whole')).rejects.toThrow(/whole is not empty/);
    await expect(make('whole', { resume: true })).rejects.toThrow(/complete/);
    await make('begun', { stopAfter: 1 });
    await expect(make('begun', { resume: true, keyFrameInterval: 9 })).rejects.toThrow(
      /keyFrameInterval 8 and not 9/,
    );
    await expect(make('begun', { resume: true, entries: entries.slice(1) })).rejects.toThrow(/sources/);
    await expect(make('nothing', { resume: true })).rejects.toThrow(/nothing was begun/);
    await expect(make('odd', { size: 33 })).rejects.toThrow(/size is 33/);
  });

  it.skipIf(process.platform !== 'linux')('say what to do where they cannot be written', async () => {
    writeFileSync(at('file'), '');
    const nowhere = make('file/shards');
    await expect(nowhere).rejects.toThrow(ShardFolderError);
    await expect(nowhere).rejects.toThrow(/file\/shards cannot be used: ENOTDIR.*then begin again/);
    const { workers: _, ...shape } = SETTINGS;
    const settings = { sources: '', count: 1, encoder: '', ...shape };
    const writer = await ShardWriter.open(at('full'), settings, false);
    symlinkSync('/dev/full', at('full', 'shard-000000.tar'));
    const header = { width: SIZE, height: SIZE, seekable: true, times: { count: 1, first: 0, last: 0 } };
    const clip = { frames: 1, framesPerSecond: 25, header, mp4: new Uint8Array(9) };
    const added = writer.add('0', 'a.mp4', undefined, clip);
    await expect(added).rejects.toThrow(ShardFolderError);
    await expect(added).rejects.toThrow(/full cannot be used: ENOSPC.*Make room there.*--resume/);
    await writer.close();
  });

  it('leave out a video whose decoded frames memory does not hold', async () => {
    const info: VideoInfo = {
      ...{ path: 'long.avi', kind: 'video', width: 1918, height: 1078, seekable: true },
      ...{
        frameCount: 9000,
        framesPerSecond: 25,
        durationSeconds: 360,
        timesSeconds: new Float64Array(9000),
      },
    };
    const decoders = { webcodecs: {} as DecoderProcess } as Decoders;
    const encoding = encodeClip(decoders, { info, crop: 'none', size: SIZE, keyFrameInterval: 8 });
    await expect(encoding).rejects.toThrow(VideoDecodeError);
    await expect(encoding).rejects.toThrow(/9000 frames are too many to be held in memory/);
  });

  it('that were damaged are named', async () => {
    cpSync(at('whole'), at('damaged'), { recursive: true });
    truncateSync(at('damaged', 'shard-000001.tar'), 1000);
    await expect(listVideos(at('damaged'))).rejects.toThrow(/shard-000001\.tar has 1000 bytes of \d+/);
  });
});

describe('the estimate', () => {
  it('reckons from a sample', async () => {
    const estimate = await usual.estimate(4);
    expect(estimate.sampled).toBe(4);
    const clips = (await listVideos(at('whole'))).entries;
    const bytes = clips.reduce((sum, { member }) => sum + member!.video.length, 0);
    expect(estimate.lengthBytes).toBeGreaterThan(bytes / 4);
    expect(estimate.lengthBytes).toBeLessThan(bytes * 4);
    expect(estimate.seconds).toBeGreaterThan(0);
  });
});

describe('a loader of shards', () => {
  const open = async (changes: object = {}) => {
    const { entries: clips } = await listVideos(at('whole'));
    return ClipLoader.open({
      entries: clips,
      batchSize: 4,
      seed: 3,
      size: SIZE,
      frames: 4,
      step: 3,
      crop: 'none',
      augmentation: 'none',
      clipsPerVideo: 4,
      workers: 2,
      cacheBytes: 0,
      ...changes,
    });
  };
  const collect = async (loader: ClipLoader, epoch: number, startStep = 0) => {
    const batches: ClipBatch[] = [];
    try {
      for await (const batch of loader.epoch(epoch, { startStep })) batches.push(batch);
    } finally {
      await loader.close();
    }
    return batches;
  };

  it('shows every clip of an epoch once, and goes on in its middle to the bit', async () => {
    const whole = await collect(await open(), 2);
    expect(whole.flatMap(({ sampleIndices }) => [...sampleIndices]).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 24 }, (_, i) => i),
    );
    for (const { clips, frameIndices } of whole)
      expect(frameNumbers(rgbOfClips(clips, SIZE), SIZE)).toEqual(frameIndices.flat());
    expect(await collect(await open({ workers: 1 }), 2, 3)).toEqual(whole.slice(3));
  });

  it('gives ranks the parts of the batches that one process would load', async () => {
    const whole = await collect(await open(), 1);
    const parts = [];
    for (const rank of [0, 1]) parts.push(await collect(await open({ batchSize: 2, rank, ranks: 2 }), 1));
    for (const [step, { sampleIndices }] of whole.entries()) {
      expect(parts.flatMap((part) => [...part[step]!.sampleIndices])).toEqual([...sampleIndices]);
    }
  });
});

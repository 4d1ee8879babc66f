import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecoderPool } from '../loader/pool.js';
import {
  encodeVideo,
  H264_UNEVEN,
  remuxVideo,
  temporaryFolder,
  texturedFrames,
  wasmFfmpeg,
  writeNumberedVideo,
} from '../testing/videos.js';
import { encodeWithWebCodecs } from '../testing/webcodecs-videos.js';
import { findWebCodecs } from './find.js';
import { ClipPixels } from '../pixels/clip-pixels.js';
import { TrainingPixels } from '../pixels/training-pixels.js';
import { resolveFfmpeg } from '../ffmpeg/ffmpeg.js';
import { drawAugmentation } from '../transforms/augmentation.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { useRuntime } from '../testing/test-runtime.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const SIZE = { width: 70, height: 54 };
const COUNT = 24;
/** The decoder is an optional package: not every machine has it. */
const missing = await findWebCodecs().then(
  () => false,
  () => true,
);

let pools: Record<'ffmpeg' | 'webcodecs', DecoderPool>;
/** The program ffmpeg, where this machine has one. */
let native: DecoderPool | undefined;
const runtime = useRuntime();

/** Frames as a model gets them, [T, size, size, 3]. */
async function bytesOf(frames: CodedFrames, size: number): Promise<Uint8Array> {
  const pixels = new ClipPixels(runtime(), size);
  const bytes = new Uint8Array(await runtime().readBytes(pixels.frames([frames])));
  pixels.release();
  return bytes;
}

const x264 = (...options: string[]) => ['-c:v', 'libx264', '-preset', 'ultrafast', ...options];
const encodeH264 = (name: string, ...options: string[]) =>
  encodeVideo(file(name), texturedFrames(COUNT, SIZE.width, SIZE.height), {
    ...SIZE,
    options: x264(...options),
  });

/** How each file is made; all of them are for the WebCodecs decoder. */
const FILES: Record<string, () => Promise<void>> = {
  'b-frames.mp4': () => encodeH264('b-frames.mp4', '-pix_fmt', 'yuv420p', '-bf', '3', '-g', '10'),
  'b-pyramid.mp4': () =>
    encodeH264('b-pyramid.mp4', '-pix_fmt', 'yuv420p', '-bf', '7', '-b-pyramid', 'normal', '-g', '20'),
  'full range.mp4': () => encodeH264('full range.mp4', '-pix_fmt', 'yuvj420p', '-g', '8'),
  'bt709.mkv': () =>
    encodeH264(
      'bt709.mkv',
      '-pix_fmt',
      'yuv420p',
      '-colorspace',
      'bt709',
      '-color_primaries',
      'bt709',
      '-color_trc',
      'bt709',
    ),
  'uneven times.mp4': () => writeNumberedVideo(file('uneven times.mp4'), 90, { options: H264_UNEVEN }),
  'uneven times.mkv': () => writeNumberedVideo(file('uneven times.mkv'), 90, { options: H264_UNEVEN }),
  'edited.mp4': () => remuxVideo(file('edited.mp4'), file('b-frames.mp4'), ['-ss', '0.3'], []),
  'turned 90.mp4': () =>
    remuxVideo(file('turned 90.mp4'), file('b-frames.mp4'), [], ['-metadata:s:v', 'rotate=90']),
  'turned 180.mov': () =>
    remuxVideo(file('turned 180.mov'), file('b-frames.mp4'), [], ['-metadata:s:v', 'rotate=180']),
  'turned 270.mp4': () =>
    remuxVideo(file('turned 270.mp4'), file('b-frames.mp4'), [], ['-metadata:s:v', 'rotate=270']),
  'hevc.mp4': () => encodeWithWebCodecs(file('hevc.mp4'), 'hev1.1.6.L93.B0', { ...SIZE, count: COUNT }),
  'vp8.webm': () => encodeWithWebCodecs(file('vp8.webm'), 'vp8', { ...SIZE, count: COUNT }),
  'vp9.webm': () => encodeWithWebCodecs(file('vp9.webm'), 'vp09.00.10.08', { ...SIZE, count: COUNT }),
  'vp9.mp4': () => encodeWithWebCodecs(file('vp9.mp4'), 'vp09.00.10.08', { ...SIZE, count: COUNT }),
};

beforeAll(async () => {
  if (missing) return;
  const ffmpeg = await wasmFfmpeg();
  pools = {
    ffmpeg: await DecoderPool.open({ workers: 1, ffmpeg, decoder: 'ffmpeg' }),
    webcodecs: await DecoderPool.open({ workers: 1, ffmpeg, decoder: 'webcodecs' }),
  };
  const found = await resolveFfmpeg();
  if (found.kind === 'native') {
    native = await DecoderPool.open({ workers: 1, ffmpeg: found, decoder: 'ffmpeg' });
  }
  for (const make of Object.values(FILES)) await make();
});
afterAll(async () => {
  await Promise.all([...Object.values(pools ?? {}), native].map((pool) => pool?.close()));
  folder.remove();
});

describe.skipIf(missing)('ffmpeg and the WebCodecs decoder', () => {
  it.each(Object.keys(FILES))('find the same frames and give the same bytes: %s', async (name) => {
    const expected = await pools.ffmpeg.probe(file(name));
    const info = await pools.webcodecs.probe(file(name));
    expect(info.container).toBeDefined();
    const { container: _, timesSeconds, ...rest } = info;
    const { timesSeconds: expectedTimes, ...expectedRest } = expected;
    expect(timesSeconds).toHaveLength(expectedTimes.length);
    timesSeconds.forEach((time, i) => expect(time).toBeCloseTo(expectedTimes[i] as number, 5));
    const { framesPerSecond, durationSeconds } = expectedRest;
    expect(rest).toEqual({
      ...expectedRest,
      framesPerSecond: expect.closeTo(framesPerSecond, 3) as unknown,
      durationSeconds: expect.closeTo(durationSeconds, 3) as unknown,
    });

    for (const shape of [
      { size: 32, crop: 'centre' },
      { size: 80, crop: 'none' },
      // Cut out of the frame and not halved.
      { size: 40, crop: 'voxceleb' },
    ] as const) {
      const whole = await bytesOf(await pools.webcodecs.readRange(info, shape), shape.size);
      const wholeOfFfmpeg = await bytesOf(await pools.ffmpeg.readRange(expected, shape), shape.size);
      expect(Buffer.compare(whole, wholeOfFfmpeg)).toBe(0);
      const indices = [7, 11, 15, 15];
      const clip = await bytesOf(await pools.webcodecs.readClip(info, indices, shape), shape.size);
      const clipOfFfmpeg = await bytesOf(await pools.ffmpeg.readClip(expected, indices, shape), shape.size);
      expect(Buffer.compare(clip, clipOfFfmpeg)).toBe(0);
      const frame = clip.subarray(0, shape.size ** 2 * 3);
      expect(Buffer.compare(frame, whole.subarray(7 * frame.length, 8 * frame.length))).toBe(0);
    }
  });

  it('share out videos so that ffmpeg has those of an odd width or height', async () => {
    for (const [i, [width, height]] of [[71, 54] as const, [70, 53] as const].entries()) {
      const path = file(`odd ${i}.webm`);
      await encodeWithWebCodecs(path, 'vp8', { width, height, count: 4 });
      const info = await pools.webcodecs.probe(path);
      expect(info).toMatchObject({ width, height, frameCount: 4, container: undefined });
    }
  });

  it('give the same bytes of a damaged video every time', async () => {
    const whole = readFileSync(file('b-frames.mp4'));
    const box = whole.indexOf('mdat') - 4;
    const end = box + whole.readUInt32BE(box);
    for (let n = 1; n <= 4; n++) {
      const bytes = Buffer.from(whole);
      for (let at = box + 1000 + 100 * n; at < end; at += 1500) bytes[at]! ^= 16;
      const path = file(`damaged ${n}.mp4`);
      writeFileSync(path, bytes);
      const clips: string[] = [];
      for (let attempt = 0; attempt < 3; attempt++) {
        const info = await pools.webcodecs.probe(path);
        const clip = await pools.webcodecs.readClip(info, [7, 11, 15, 19], { size: 32, crop: 'centre' });
        clips.push(createHash('sha256').update(clip.bytes).digest('hex'));
      }
      expect(new Set(clips).size, path).toBe(1);
    }
  });

  it('and the program ffmpeg make the same batch for fine-tuning, augmented and mixed, to the bit', async () => {
    const size = 32;
    const names = Object.keys(FILES).slice(0, 8);
    const augmentations = names.map((_, sample) => drawAugmentation(size, { seed: 2, epoch: 0, sample }));
    const pixels = new TrainingPixels(runtime(), size);
    const batchOf = async (pool: DecoderPool) => {
      const clips: CodedFrames[] = [];
      for (const name of names) {
        clips.push(await pool.readClip(await pool.probe(file(name)), [3, 5, 7, 7], { size, crop: 'centre' }));
      }
      const batch = pixels.video({ clips, augmentations, mix: { lambda: 0.4 } });
      return Buffer.from(await runtime().readBytes(batch));
    };
    const expected = await batchOf(pools.ffmpeg);
    expect(Buffer.compare(await batchOf(pools.webcodecs), expected)).toBe(0);
    if (native) expect(Buffer.compare(await batchOf(native), expected)).toBe(0);
    pixels.release();
  });
});

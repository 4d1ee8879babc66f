import {
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VideoDecodeError } from '../errors.js';
import { FRAME_FOLDER_RATE } from './video-info.js';
import { DecoderPool } from '../loader/pool.js';
import { readClip } from './read-clip.js';
import { clipFrameIndices } from '../sampling/sampling.js';
import {
  encodeVideo,
  frameNumbers,
  H264_HEADER_FIRST,
  H264_UNEVEN,
  MPEG4,
  remuxVideo,
  temporaryFolder,
  wasmFfmpeg,
  writeNumberedFolder,
  writeNumberedVideo,
} from '../testing/videos.js';
import { toRgb } from '../pixels/to-rgb.js';
import { rgbReader } from '../testing/rgb.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const SHAPE = { size: 16, crop: 'none' } as const;
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
let pool: DecoderPool;
let read: ReturnType<typeof rgbReader>;

beforeAll(async () => {
  pool = await DecoderPool.open({ workers: 1, ffmpeg: await wasmFfmpeg() });
  read = rgbReader(pool);
  await writeNumberedVideo(file('h264.mp4'), 90);
  await writeNumberedVideo(file('mpeg4.avi'), 70, { options: MPEG4, framesPerSecond: 10 });
  await writeNumberedVideo(file('uneven.mkv'), 90, { options: H264_UNEVEN });
  await writeNumberedVideo(file('header first.mp4'), 90, { options: H264_HEADER_FIRST });
});

afterAll(async () => {
  await pool.close();
  folder.remove();
});

describe('probe', () => {
  it('counts frames and finds size and rate', async () => {
    expect(await pool.probe(file('h264.mp4'))).toMatchObject({
      width: 32,
      height: 24,
      frameCount: 90,
      kind: 'video',
    });
    expect((await pool.probe(file('h264.mp4'))).framesPerSecond).toBeCloseTo(25, 3);
    const avi = await pool.probe(file('mpeg4.avi'));
    expect(avi).toMatchObject({ width: 32, height: 24, frameCount: 70 });
    expect(avi.durationSeconds).toBeCloseTo(7, 2);
    expect((await pool.probe(file('uneven.mkv'))).frameCount).toBe(60);
  });
});

describe('decoding', () => {
  it.each(['h264.mp4', 'mpeg4.avi', 'header first.mp4'])('gives all frames in order: %s', async (name) => {
    const info = await pool.probe(file(name));
    expect(frameNumbers(await read.range(info, SHAPE), 16)).toEqual(upTo(info.frameCount));
  });

  // Seeking must land on the very frame, at key frames, beside them, and among B-frames.
  it.each(['h264.mp4', 'mpeg4.avi'])('gives exactly the frames of a clip: %s', async (name) => {
    const info = await pool.probe(file(name));
    const whole = await pool.readRange(info, SHAPE);
    for (const start of [0, 1, 5, 11, 12, 13, 37, info.frameCount - 10]) {
      const indices = clipFrameIndices(info.frameCount, start, { frames: 8, step: 4 });
      const clip = await pool.readClip(info, indices, SHAPE);
      expect(frameNumbers(toRgb(clip, 16), 16)).toEqual(indices);
      expect(await pool.readClip(info, indices, SHAPE, { frames: whole, begin: 0 })).toEqual(clip);
    }
  });

  // Containers whose times are missing, or not found again by seeking.
  it.each([
    ['stream.ts', undefined],
    ['bare.h264', undefined],
    ['program.mpg', ['-c:v', 'mpeg2video', '-q:v', '2']],
    ['b-frames.avi', [...MPEG4, '-bf', '2']],
  ])('gives exactly the frames of a clip where it cannot seek: %s', async (name, options) => {
    await writeNumberedVideo(file(name), 60, { options });
    const info = await pool.probe(file(name));
    expect(info).toMatchObject({ frameCount: 60, seekable: false });
    expect(frameNumbers(await read.range(info, SHAPE), 16)).toEqual(upTo(60));
    expect(frameNumbers(await read.range(info, SHAPE, 21, 30), 16)).toEqual(upTo(30).slice(21));
    for (const start of [1, 13, 40]) {
      const indices = clipFrameIndices(60, start, { frames: 8, step: 4 });
      expect(frameNumbers(await read.clip(info, indices, SHAPE), 16)).toEqual(indices);
    }
  });

  it('leaves out what an edit list leaves out', async () => {
    // Cut at frame 8 without coding anew: the file starts at frame 0, a key frame, and says to show none before 8.
    await remuxVideo(file('edited.mp4'), file('h264.mp4'), ['-ss', '0.3'], []);
    const info = await pool.probe(file('edited.mp4'));
    expect(frameNumbers(await read.range(info, SHAPE), 16)).toEqual(upTo(90).slice(8));
    expect(frameNumbers(await read.clip(info, [5, 9, 13], SHAPE), 16)).toEqual([13, 17, 21]);
  });

  it('turns what is to be turned', async () => {
    await remuxVideo(file('turned.mp4'), file('h264.mp4'), [], ['-metadata:s:v', 'rotate=180']);
    await remuxVideo(file('upright.mp4'), file('h264.mp4'), [], ['-metadata:s:v', 'rotate=90']);
    expect(await pool.probe(file('upright.mp4'))).toMatchObject({ width: 24, height: 32 });
    const info = await pool.probe(file('turned.mp4'));
    expect(info).toMatchObject({ width: 32, height: 24 });
    // Upside down, the digits change places.
    expect(frameNumbers(await read.clip(info, [12, 23, 34], SHAPE), 16)).toEqual([21, 32, 43]);
  });

  it('counts frames, not time, where they come at uneven times', async () => {
    const info = await pool.probe(file('uneven.mkv'));
    const numbers = upTo(90).filter((i) => i % 3 !== 0);
    expect(frameNumbers(await read.range(info, SHAPE), 16)).toEqual(numbers);
    const indices = clipFrameIndices(60, 21, { frames: 8, step: 4 });
    const expected = indices.map((index) => numbers[index]);
    expect(frameNumbers(await read.clip(info, indices, SHAPE), 16)).toEqual(expected);
  });

  it('repeats the last frame that a short video reaches', async () => {
    const info = await pool.probe(file('h264.mp4'));
    const indices = clipFrameIndices(info.frameCount, 60);
    expect(indices.slice(-10)).toEqual([84, 88, 88, 88, 88, 88, 88, 88, 88, 88]);
    expect(frameNumbers(await read.clip(info, indices, SHAPE), 16)).toEqual(indices);
  });

  it('cuts and scales', async () => {
    // Left half dark, right half bright, and a bright stripe along the bottom that the top crop leaves out.
    const [width, height] = [64, 32];
    const pixels = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++)
        pixels.fill(y >= 26 || x >= 32 ? 220 : 40, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
    await encodeVideo(file('halves.mp4'), pixels, { width, height });
    const info = await pool.probe(file('halves.mp4'));
    const pixelAt = (frame: Uint8Array, x: number, y: number) => frame[(y * 16 + x) * 3] as number;
    const centre = await read.range(info, { size: 16, crop: 'centre' });
    const top = await read.range(info, { size: 16, crop: 'voxceleb' });
    for (const frame of [centre, top]) {
      expect(Math.abs(pixelAt(frame, 3, 3) - 40)).toBeLessThan(8);
      expect(Math.abs(pixelAt(frame, 12, 3) - 220)).toBeLessThan(8);
    }
    expect(Math.abs(pixelAt(centre, 3, 15) - 220)).toBeLessThan(8);
    expect(Math.abs(pixelAt(top, 3, 13) - 40)).toBeLessThan(8);
  });

  it('survives many files in one thread', async () => {
    const info = await pool.probe(file('h264.mp4'));
    for (let i = 0; i < 80; i++) {
      expect(frameNumbers(await read.clip(info, [i], SHAPE), 16)).toEqual([i]);
    }
  });

  it('reads one clip on its own', async () => {
    const clip = await readClip(file('h264.mp4'), { size: 16, crop: 'none', frames: 4, startSeconds: 2 });
    expect(clip.indices).toEqual([50, 54, 58, 62]);
    expect(frameNumbers(toRgb(clip.frames, 16), 16)).toEqual(clip.indices);
    await expect(readClip(file('h264.mp4'), { startSeconds: 4 })).rejects.toThrow('no clip can start at 4 s');
  });
});

describe('folders of frames', () => {
  it('takes the order of zero-padded names, and of numbers where they are not padded', async () => {
    await writeNumberedFolder(file('padded'), 12, (i) => `${String(i).padStart(4, '0')}.png`);
    await writeNumberedFolder(file('bare'), 12, (i) => `frame${i}.jpg`);
    for (const name of ['padded', 'bare']) {
      const info = await pool.probe(file(name));
      expect(info).toMatchObject({ kind: 'frames', width: 32, height: 24, frameCount: 12 });
      expect(info.framesPerSecond).toBe(FRAME_FOLDER_RATE);
      expect(frameNumbers(await read.range(info, SHAPE), 16)).toEqual(upTo(12));
      const indices = clipFrameIndices(12, 2, { frames: 6, step: 3 });
      expect(indices).toEqual([2, 5, 8, 8, 8, 8]);
      expect(frameNumbers(await read.clip(info, indices, SHAPE), 16)).toEqual(indices);
    }
  });

  it('names the frame that cannot be read', async () => {
    await writeNumberedFolder(file('broken'), 3, (i) => `${i}.png`);
    writeFileSync(join(file('broken'), '1.png'), 'no image');
    const info = await pool.probe(file('broken'));
    await expect(read.range(info, SHAPE)).rejects.toThrow(/broken.*frame .*1\.png/);
  });
});

it('a file or folder that cannot be read is one that cannot be decoded', async () => {
  await writeNumberedFolder(file('removed'), 2, (i) => `${i}.png`);
  const info = await pool.probe(file('removed'));
  rmSync(file('removed'), { recursive: true });
  const gone = await pool.readClip(info, [0], SHAPE).catch((error: unknown) => error);
  expect(gone).toBeInstanceOf(VideoDecodeError);
  expect(gone).toMatchObject({ path: file('removed'), reason: expect.stringContaining('ENOENT') as unknown });
  symlinkSync(file('round.mp4'), file('round.mp4'));
  const round = await pool.probe(file('round.mp4')).catch((error: unknown) => error);
  expect(round).toBeInstanceOf(VideoDecodeError);
  expect(round).toMatchObject({
    path: file('round.mp4'),
    reason: expect.stringContaining('ELOOP') as unknown,
  });
});

describe('what is not a video', () => {
  const failure = async (path: string): Promise<VideoDecodeError> => {
    const error: unknown = await pool.probe(path).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(VideoDecodeError);
    return error as VideoDecodeError;
  };

  it('a text file', async () => {
    writeFileSync(file('text.mp4'), 'This is not a video.\n'.repeat(50));
    const error = await failure(file('text.mp4'));
    expect(error.path).toBe(file('text.mp4'));
    expect(error.message).toContain('text.mp4');
    expect(error.reason).toMatch(/Invalid data/);
  });

  it('a file cut short in front of its header', async () => {
    writeFileSync(file('cut.mp4'), readFileSync(file('h264.mp4')));
    truncateSync(file('cut.mp4'), 2000);
    expect((await failure(file('cut.mp4'))).reason).toMatch(/moov atom not found/);
  });

  it('a file cut short behind its header', async () => {
    const whole = readFileSync(file('header first.mp4'));
    writeFileSync(file('cut late.mp4'), whole.subarray(0, Math.floor(whole.length * 0.7)));
    expect((await failure(file('cut late.mp4'))).reason).toMatch(/cut short/);
  });

  it('an empty file, a missing one, an empty folder, sound alone', async () => {
    closeSync(openSync(file('empty.mp4'), 'w'));
    expect((await failure(file('empty.mp4'))).reason).toBe('the file is empty');
    expect((await failure(file('missing.mp4'))).reason).toBe('there is no such file');
    const empty = temporaryFolder();
    expect((await failure(empty.path)).reason).toMatch(/holds no jpg or png/);
    empty.remove();
    // A second of silence: 16-bit samples behind the header of a WAVE file.
    const wave = openSync(file('sound.wav'), 'w');
    const header = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1');
    header.writeUInt32LE(36 + 16_000, 4);
    [16, 0x0001_0001, 8000, 16_000, 0x0010_0002].forEach((value, i) =>
      header.writeUInt32LE(value, 16 + 4 * i),
    );
    header.writeUInt32LE(16_000, 40);
    writeSync(wave, Buffer.concat([header, Buffer.alloc(16_000)]));
    closeSync(wave);
    expect((await failure(file('sound.wav'))).reason).toMatch(/no video stream/);
  });

  it('leaves the thread fit for the next file', async () => {
    await failure(file('text.mp4'));
    expect((await pool.probe(file('h264.mp4'))).frameCount).toBe(90);
  });
});

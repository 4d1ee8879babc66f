import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeVideo } from './encode.js';
import { VideoEncodeError } from '../errors.js';
import { resolveFfmpeg } from './ffmpeg.js';
import { DecoderPool } from '../loader/pool.js';
import { frameNumbers, numberedFrames, temporaryFolder, wasmFfmpeg } from '../testing/videos.js';
import { rgbReader } from '../testing/rgb.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const SIZE = 32;
const frames = numberedFrames(20, SIZE, SIZE);
const options = { width: SIZE, height: SIZE, framesPerSecond: 12.5 };

describe('encodeVideo', () => {
  it('writes every frame, at its time, with the header in front', async () => {
    const path = join(folder.path, 'numbered.mp4');
    const ffmpeg = await wasmFfmpeg();
    await encodeVideo(path, frames, { ...options, ffmpeg });
    const pool = await DecoderPool.open({ workers: 1, ffmpeg });
    try {
      const info = await pool.probe(path);
      expect(info).toMatchObject({ width: SIZE, height: SIZE, frameCount: 20 });
      expect(info.durationSeconds).toBeCloseTo(20 / 12.5, 3);
      const decoded = await rgbReader(pool).range(info, { size: SIZE, crop: 'none' });
      expect(frameNumbers(decoded, SIZE)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    } finally {
      await pool.close();
    }
    const bytes = readFileSync(path);
    expect(bytes.indexOf('moov')).toBeGreaterThan(0);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
  });

  it('writes the same bytes for the same frames', async () => {
    const ffmpeg = await wasmFfmpeg();
    const files = ['a.mp4', 'b.mp4', 'finer.mp4'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    const busy = frames.map((value, i) => value + ((i * i) % 31));
    await encodeVideo(files[0], busy, { ...options, ffmpeg });
    await encodeVideo(files[1], busy, { ...options, ffmpeg });
    await encodeVideo(files[2], busy, { ...options, ffmpeg, quality: 2, keyFrameInterval: 1 });
    const [a, b, finer] = files.map((path) => readFileSync(path)) as [Buffer, Buffer, Buffer];
    expect(a.equals(b)).toBe(true);
    expect(finer.length).toBeGreaterThan(a.length);
  });

  it('takes frames in pieces, and gives the bytes that it gives at once', async () => {
    const ffmpeg = await resolveFfmpeg();
    const [whole, pieces, cut] = ['whole.mp4', 'pieces.mp4', 'cut.mp4'].map((name) =>
      join(folder.path, name),
    );
    const frameBytes = SIZE * SIZE * 3;
    async function* inPieces(lengthBytes: number) {
      for (let at = 0; at < frames.length; at += lengthBytes) yield frames.subarray(at, at + lengthBytes);
      await Promise.resolve();
    }
    await encodeVideo(whole!, frames, { ...options, ffmpeg });
    await encodeVideo(pieces!, inPieces(3 * frameBytes), { ...options, ffmpeg });
    expect(readFileSync(pieces!).equals(readFileSync(whole!))).toBe(true);
    await expect(encodeVideo(cut!, inPieces(frameBytes + 3), { ...options, ffmpeg })).rejects.toThrow(
      RangeError,
    );
    await expect(encodeVideo(cut!, inPieces(0.5 * frameBytes), { ...options, ffmpeg })).rejects.toThrow(
      RangeError,
    );
    async function* torn() {
      yield frames;
      await new Promise((resolve) => setTimeout(resolve, 300));
      throw new Error('torn');
    }
    await expect(encodeVideo(cut!, torn(), { ...options, ffmpeg })).rejects.toThrow('torn');
    expect(existsSync(cut!)).toBe(false);
  });

  it.each([
    [{ width: 31 }, /width is 31/],
    [{ height: 30 }, /not a whole number of 32×30/],
    [{ framesPerSecond: 0 }, /framesPerSecond is 0/],
    [{ quality: 52 }, /quality is 52/],
    [{ keyFrameInterval: 1.5 }, /keyFrameInterval is 1.5/],
  ])('refuses %o', async (wrong, message) => {
    const path = join(folder.path, 'refused.mp4');
    await expect(encodeVideo(path, frames, { ...options, ...wrong })).rejects.toThrow(message);
  });

  it('names the file when the program does not run', async () => {
    const ffmpeg = {
      kind: 'native',
      path: join(folder.path, 'no-ffmpeg'),
      version: '',
      source: 'PATH',
      reason: '',
    } as const;
    const path = join(folder.path, 'none.mp4');
    await expect(encodeVideo(path, frames, { ...options, ffmpeg })).rejects.toThrow(VideoEncodeError);
    await expect(encodeVideo(path, frames, { ...options, ffmpeg })).rejects.toThrow(/none\.mp4 cannot be/);
  });
});

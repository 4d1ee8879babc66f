import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeVideo } from '../ffmpeg/encode.js';
import { FaceDetectorError } from '../errors.js';
import { DecoderPool } from '../loader/pool.js';
import { cutFaces, findPeople, framesToLookAt } from './find-people.js';
import { cutSquare } from './frame-rgb.js';
import { installDetector, weightsFolder } from './install-detector.js';
import { detectorOf, discDetector, discFrames } from './testing/planted-faces.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-faces-'));
const video = join(folder, 'two.mp4');
let pool: DecoderPool;
beforeAll(async () => {
  const frames = discFrames(60, 160, 96, (t) => [
    ...(t < 20 || t >= 40 ? [{ x: 40 + t / 3, y: 48, radius: 20, channel: 0 }] : []),
    { x: 120, y: 40, radius: 12, channel: 2 },
  ]);
  await encodeVideo(video, frames, { width: 160, height: 96, framesPerSecond: 25 });
  pool = await DecoderPool.open({ workers: 1 });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

describe('people of a video', () => {
  it('are followed and cut, with the gap of one bridged', async () => {
    const info = await pool.probe(video);
    const tracks = await findPeople(pool, info, discDetector());
    expect(tracks.map(({ frames }) => frames.length)).toEqual([60, 60]);
    expect(tracks.map(({ bridged }) => bridged > 0)).toEqual([true, false]);
    expect(tracks[0]!.frames[50]!.x).toBeCloseTo(40 + 50 / 3, -1);
    const middles: number[][] = [[], []];
    for await (const { person, pixels, frame } of cutFaces(pool, info, tracks, 16)) {
      const at = 3 * (8 * 16 + 8);
      if (frame < 15) middles[person]!.push(pixels[at]! - pixels[at + 2]!);
    }
    expect(Math.min(...middles[0]!)).toBeGreaterThan(100);
    expect(Math.max(...middles[1]!)).toBeLessThan(-100);
  });

  it('are none where no face is found', async () => {
    const info = await pool.probe(video);
    await expect(
      findPeople(
        pool,
        info,
        detectorOf(() => []),
      ),
    ).resolves.toEqual([]);
  });

  it('are looked for five times a second, in the first and in the last frame', () => {
    expect(framesToLookAt(13, 25)).toEqual([0, 5, 10, 12]);
    expect(framesToLookAt(1, 25)).toEqual([0]);
    expect(framesToLookAt(3, 4)).toEqual([0, 1, 2]);
  });
});

describe('a square cut out of an image', () => {
  const [width, height] = [6, 4];
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (7 * i) % 251);
  const image = { pixels, width, height };

  it('is the image itself where nothing is scaled or turned, and black outside', () => {
    const cut = cutSquare(image, { x: 2, y: 2, side: 4, roll: 0 }, 4);
    const expected = [0, 1, 2, 3].flatMap((y) => Array.from(pixels.subarray(18 * y, 18 * y + 12)));
    expect(Array.from(cut)).toEqual(expected);
    expect(Array.from(cutSquare(image, { x: -9, y: 2, side: 4, roll: 0 }, 4))).toEqual(new Array(48).fill(0));
  });

  it('is upright when the square is turned by a quarter', () => {
    const cut = cutSquare(image, { x: 2, y: 2, side: 4, roll: Math.PI / 2 }, 4);
    // What is on top of the crop lies on the right of the square.
    expect(Array.from(cut.subarray(0, 3))).toEqual(Array.from(pixels.subarray(9, 12)));
    expect(Array.from(cut.subarray(9, 12))).toEqual(Array.from(pixels.subarray(18 * 3 + 9, 18 * 3 + 12)));
  });

  it('is a mean of what lies under each pixel where it is reduced', () => {
    const [red] = cutSquare(image, { x: 2, y: 2, side: 4, roll: 0 }, 1);
    const values = [0, 1, 2, 3].flatMap((y) => [0, 1, 2, 3].map((x) => pixels[18 * y + 3 * x]!));
    expect(red).toBe(Math.round(values.reduce((sum, value) => sum + value, 0) / 16));
  });
});

describe('the installation of the detector', () => {
  const target = join(folder, 'detector');
  const fake = async (_: readonly string[], at: string) => {
    mkdirSync(weightsFolder(at), { recursive: true });
    for (const name of ['tiny_face_detector', 'face_landmark_68'])
      writeFileSync(join(weightsFolder(at), `${name}_model.bin`), '');
    return Promise.resolve();
  };

  it('says what to do where the network is away, and leaves nothing behind', async () => {
    const npm = () => Promise.reject(new Error('getaddrinfo ENOTFOUND'));
    const error = await installDetector(() => undefined, { folder: target, npm }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FaceDetectorError);
    expect((error as Error).message).toMatch(/ENOTFOUND.*npm install --prefix .*copy that folder to/s);
    expect(existsSync(target)).toBe(false);
  });

  it('removes what one that was killed has left, and nothing of one that runs', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const [ended, running] = [pid, process.ppid].map((one) => `${target}.${hostname()}.${one}`);
    for (const staging of [ended!, running!]) mkdirSync(staging);
    const npm = () => Promise.reject(new Error('away'));
    await expect(installDetector(() => undefined, { folder: target, npm })).rejects.toThrow('away');
    expect([ended!, running!].map((staging) => existsSync(staging))).toEqual([false, true]);
  });

  it('happens once, with exact versions and no install scripts; missing weights are named', async () => {
    const calls: (readonly string[])[] = [];
    const npm = (args: readonly string[], at: string) => {
      calls.push(args);
      return fake(args, at);
    };
    for (let i = 0; i < 2; i++) await installDetector(() => undefined, { folder: target, npm });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toContain('--ignore-scripts');
    for (const spec of calls[0]!.filter((arg) => arg.includes('@'))) expect(spec).toMatch(/@\d+\.\d+\.\d+$/);
    const weights = join(weightsFolder(target), 'face_landmark_68_model.bin');
    rmSync(weights);
    const again = installDetector(() => undefined, { folder: target, npm });
    await expect(again).rejects.toThrow(`${weights} is missing. Delete`);
  });
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { DecoderPool, encodeVideo, listVideos, toRgb } from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import { discDetector, discFrames } from '../../../../packages/video/src/faces/testing/planted-faces.js';
import { prepare } from './prepare.js';
import { findVideos } from '../shared/sources.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-prepare-faces-'));
const at = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

it('prepares faces as data faces cuts them, and leaves out videos without any', async () => {
  mkdirSync(at('videos'));
  const write = (name: string, discs: Parameters<typeof discFrames>[3]) =>
    encodeVideo(at('videos', name), discFrames(20, 96, 48, discs), {
      ...{ width: 96, height: 48, framesPerSecond: 25 },
    });
  const red = { x: 60, y: 20, radius: 14, channel: 0 };
  await write('nobody.mp4', () => []);
  // Frames 0, 5, 10, 15 and 19 are looked at: the face is followed up to the last in which it is found.
  await write('leaving.mp4', (t) => (t < 12 ? [red, { x: 20, y: 30, radius: 6, channel: 2 }] : []));
  const shape = { imageSize: 32, keyFrameInterval: 4, shardSize: 2 ** 20, workers: 1 };
  await prepare(
    await findVideos([at('videos')], { crop: 'none' }, new Set()),
    { ...shape, out: at('faces'), crop: 'face', resume: false, dryRun: false, root: undefined },
    () => Promise.resolve(discDetector()),
  );
  expect(readFileSync(at('faces', 'rejects.tsv'), 'utf8')).toMatch(
    /^\S+nobody\.mp4\tno face was found in its 20 frames\n$/,
  );
  const [clip, ...others] = (await listVideos(at('faces'))).entries;
  expect(others).toEqual([]);
  const pool = await DecoderPool.open({ workers: 1 });
  try {
    const info = await pool.probe(clip!.path, clip!.member);
    expect(info).toMatchObject({ width: 32, height: 32, frameCount: 11 });
    expect(info.framesPerSecond).toBeCloseTo(25, 6);
    const rgb = toRgb(await pool.readClip(info, [0, 10], { size: 32, crop: 'none' }), 32);
    for (const frame of [0, 1]) {
      const middle = 3 * ((frame * 32 + 16) * 32 + 16);
      expect(rgb[middle]! - rgb[middle + 2]!).toBeGreaterThan(100);
    }
  } finally {
    await pool.close();
  }
});

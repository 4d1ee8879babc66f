import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeFrames, type CodedFrames } from '../pixels/coded-frames.js';
import { DecoderPool } from '../loader/pool.js';
import { encodeVideo, temporaryFolder, texturedFrames } from '../testing/videos.js';
import { withContainer } from './container.js';
import { findPackets } from './find-packets.js';
import { findWebCodecs } from './find.js';

const folder = temporaryFolder();
const SHAPE = { size: 48, crop: 'none' } as const;
const COUNT = 80;
const x264 = (...options: string[]) => [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-pix_fmt',
  'yuv420p',
  ...options,
];
/** Each file, and how many packets of all up to the last wanted frame may be decoded for frames 21, 41 and 61. */
const FILES: Record<string, { options: string[]; least: number; most: number }> = {
  'no b-frames.mp4': { options: x264('-bf', '0', '-g', '200'), least: 62, most: 62 },
  'b-frames.mp4': { options: x264('-bf', '3', '-g', '200'), least: 12, most: 45 },
  'b-pyramid.mp4': { options: x264('-bf', '3', '-b-pyramid', 'normal', '-g', '200'), least: 12, most: 50 },
  'short groups.mp4': { options: x264('-bf', '0', '-g', '10'), least: 6, most: 6 },
  'b-frames.mkv': { options: x264('-bf', '2', '-g', '25'), least: 3, most: 45 },
};
const WANTED = [21, 41, 61];
const missing = await findWebCodecs().then(
  () => false,
  () => true,
);
const path = (name: string) => join(folder.path, name);

describe.skipIf(missing)('the packets of a clip', () => {
  let pool: DecoderPool;
  beforeAll(async () => {
    pool = await DecoderPool.open({ workers: 1, decoder: 'webcodecs' });
    const frames = texturedFrames(COUNT, 48, 48);
    for (const [name, { options }] of Object.entries(FILES)) {
      await encodeVideo(path(name), frames, { width: 48, height: 48, options });
    }
  });
  afterAll(async () => {
    await pool.close();
    folder.remove();
  });

  it.each(Object.entries(FILES))('of %s are no more than its frames need', async (name, { least, most }) => {
    const info = await pool.probe(path(name));
    const start = info.container!.startSeconds;
    const times = Float64Array.from(WANTED, (index) => info.timesSeconds[index]! + start);
    const { count, wanted } = await withContainer({ path: path(name) }, async (container) => {
      const key = await container.sink.getKeyPacket(times[0]! + 1e-5, { metadataOnly: true });
      return findPackets(container, key!, times);
    });
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(most);
    expect(wanted.size).toBe(WANTED.length);
  });

  it.each(Object.keys(FILES))('of %s give the frames that decoding all of it gives', async (name) => {
    const info = await pool.probe(path(name));
    const all = await pool.readRange(info, SHAPE);
    for (const indices of [WANTED, [0, 30, 79], [3, 7, 11, 15, 19, 23, 27], [78, 79], [50]]) {
      const clip = await pool.readClip(info, indices, SHAPE);
      const expected = takeFrames(all, indices);
      for (const i of indices.keys()) {
        const bytes = (frames: CodedFrames) => takeFrames(frames, [i]).bytes;
        expect(Buffer.compare(bytes(clip), bytes(expected)), `frame ${indices[i]}`).toBe(0);
      }
    }
  });
});

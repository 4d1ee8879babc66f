import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FaceSquare } from '../../faces/face.js';
import { detectorOf, faceIn } from '../../faces/testing/planted-faces.js';
import { DecoderPool } from '../../loader/pool.js';
import { temporaryFolder, wasmFfmpeg } from '../../testing/videos.js';
import { faceCropFindings, measureFaceCrops } from './face-crops.js';

const folder = temporaryFolder();
const CLIPS = 10;
const clips = Array.from({ length: CLIPS }, (_, i) => ({
  id: `${i}`,
  path: join(folder.path, `${i}`),
  label: 0,
}));
let pool: DecoderPool;

beforeAll(async () => {
  for (const { path } of clips) {
    mkdirSync(path);
    const create = { width: 80, height: 64, channels: 3, background: '#808080' } as const;
    await sharp({ create }).toFile(join(path, '1.jpg'));
  }
  pool = await DecoderPool.open({ workers: 1, ffmpeg: await wasmFfmpeg() });
});
afterAll(async () => {
  await pool.close();
  folder.remove();
});

/** What is measured and found where the first `found` clips show this square, of frames of 80×64. */
async function measure(square: Partial<FaceSquare>, { aligned = true, found = CLIPS } = {}) {
  let seen = 0;
  const place = { x: 40, y: 32, side: 64, roll: 0, ...square };
  const detector = detectorOf(() => (seen++ < found ? [faceIn(place, 0.5), faceIn(place)] : []));
  const crops = await measureFaceCrops(
    [...clips, { id: 'gone', path: join(folder.path, 'gone'), label: 0 }],
    detector,
    pool,
  );
  return {
    crops,
    problems: faceCropFindings(crops, aligned).map(({ kind, problem }) => `${kind}: ${problem}`),
  };
}

it('measures faces as they are cut, and has nothing to say of them', async () => {
  const { crops, problems } = await measure({ x: 40.5, roll: 0.02 });
  expect(crops).toMatchObject({ clips: CLIPS, found: CLIPS });
  expect(crops.size!.median).toBeCloseTo(1, 6);
  expect(crops.right!.median).toBeCloseTo(0.5 / 64, 6);
  expect(crops.down!.median).toBeCloseTo(0, 6);
  expect(crops.turn!.high).toBeCloseTo(0.02 * (180 / Math.PI), 6);
  expect(problems).toEqual([]);
});

it('finds faces that fill their frames, which detectors miss without room around them', async () => {
  const detector = detectorOf(({ width, height }) =>
    width === 160 && height === 128 ? [faceIn({ x: 80 + 4, y: 64, side: 64, roll: 0 })] : [],
  );
  const crops = await measureFaceCrops(clips, detector, pool);
  expect(crops.found).toBe(CLIPS);
  expect(crops.size!.median).toBeCloseTo(1, 6);
  expect(crops.right!.median).toBeCloseTo(4 / 64, 6);
  expect(crops.down!.median).toBeCloseTo(0, 6);
});

it.each<[string, Partial<FaceSquare>, { aligned?: boolean; found?: number }, string[]]>([
  ['smaller faces', { side: 45 }, {}, ['takes 70 % of the shorter side, not about 100 %']],
  ['faces cut closely', { side: 90 }, {}, ['takes 141 % of the shorter side, not about 100 %']],
  [
    'faces on one side',
    { x: 50, y: 20 },
    {},
    ['lie 16 % of their edge too far right', 'lie 19 % of their edge too far up'],
  ],
  ['turned faces', { roll: -0.2 }, {}, ['turned by 11° or more']],
  ['whole frames', { side: 20 }, {}, ['takes 31 % of the shorter side: these are not face crops']],
  ['few faces', {}, { found: 5 }, ['a face was found in 5 of them only']],
  ['no faces', {}, { found: 0 }, ['a face was found in 0 of them only']],
  [
    'smaller faces where the protocol’s are not known',
    { side: 45, x: 50, roll: 0.2 },
    { aligned: false },
    [],
  ],
  ['whole frames of any data set', { side: 20 }, { aligned: false }, ['these are not face crops']],
])('warns of %s', async (_, square, options, expected) => {
  const { problems } = await measure(square, options);
  expect(problems).toEqual(
    expected.map((text) => expect.stringMatching(new RegExp(`^face-crops: .*${text}`))),
  );
});

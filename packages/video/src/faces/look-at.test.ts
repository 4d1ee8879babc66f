import { expect, it } from 'vitest';
import type { RgbImage } from '../pixels/image-passes.js';
import { squareOf, type FaceDetector } from './face.js';
import { lookAt } from './look-at.js';
import { detectorOf, faceIn } from './testing/planted-faces.js';

const SQUARE = { x: 52, y: 40, side: 64, roll: 0.3 };
const [WIDTH, HEIGHT] = [96, 80];
const image: RgbImage = { pixels: new Uint8Array(3 * WIDTH * HEIGHT).fill(7), width: WIDTH, height: HEIGHT };

/** A detector with answers for the image alone, and for what has room around it; `seen` is told what it looks at. */
function detectorWith(alone: number, withRoom: number, seen: RgbImage[] = []): FaceDetector {
  return detectorOf((looked) => {
    seen.push(looked);
    if (looked.width === WIDTH) return alone > 0 ? [faceIn({ ...SQUARE, x: 20 }, alone)] : [];
    const there = { ...SQUARE, x: SQUARE.x + WIDTH / 2, y: SQUARE.y + HEIGHT / 2 };
    return withRoom > 0 ? [faceIn(there, withRoom)] : [];
  });
}

it.each([
  [0, 0.9],
  [0.35, 0.36],
])('finds with room around it what it does not find (%d) or is less sure of (%d)', async (alone, room) => {
  const seen: RgbImage[] = [];
  const [face] = await lookAt(detectorWith(alone, room, seen), image);
  expect(face!.score).toBe(room);
  const { x, y, side, roll } = squareOf(face!);
  for (const [value, expected] of [
    [x, SQUARE.x],
    [y, SQUARE.y],
    [side, SQUARE.side],
    [roll, SQUARE.roll],
  ] as const)
    expect(value).toBeCloseTo(expected, 6);
  // Grey around, the image in the middle.
  const { pixels, width } = seen[1]!;
  const at = (column: number, row: number) => pixels[3 * (row * width + column)];
  expect([at(0, 0), at(47, 60), at(48, 40), at(143, 119), at(144, 119), at(143, 120)]).toEqual([
    128, 128, 7, 7, 128, 128,
  ]);
});

it('looks once where a face is sure, and keeps the surer answer', async () => {
  const seen: RgbImage[] = [];
  expect((await lookAt(detectorWith(0.5, 0.9, seen), image))[0]!.score).toBe(0.5);
  expect(seen).toHaveLength(1);
  expect((await lookAt(detectorWith(0.4, 0.3, seen), image))[0]!.score).toBe(0.4);
  expect(await lookAt(detectorWith(0, 0), image)).toEqual([]);
});

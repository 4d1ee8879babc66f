import { describe, expect, it } from 'vitest';
import { ALIGNED, overlap, squareOf, type Face, type FaceSquare } from './face.js';
import { trackFaces, type FrameFaces } from './track.js';
import { faceIn } from './testing/planted-faces.js';

const at = (x: number, y: number, side = 100, roll = 0): Face => faceIn({ x, y, side, roll });
const looks = (faces: (frame: number) => Face[], last: number, step = 5): FrameFaces[] =>
  Array.from({ length: last / step + 1 }, (_, i) => ({ frame: i * step, faces: faces(i * step) }));
const rate = { framesPerSecond: 25 };

describe('the square of a face', () => {
  it.each<FaceSquare>([
    { x: 50, y: 60, side: 80, roll: 0 },
    { x: 50, y: 60, side: 33, roll: 0.4 },
    { x: 5, y: 6, side: 300, roll: -1.2 },
  ])('is the one that the face was put into: %j', (square) => {
    const found = squareOf(faceIn(square));
    for (const key of ['x', 'y', 'side', 'roll'] as const) expect(found[key]).toBeCloseTo(square[key], 9);
  });

  it('keeps its size when the head turns aside and the eyes come together', () => {
    const { leftEye, rightEye, ...face } = at(50, 50);
    const turned = { ...face, leftEye: { ...leftEye, x: 45 }, rightEye: { ...rightEye, x: 55 } };
    expect(squareOf(turned).side).toBeCloseTo(100, 9);
    expect(ALIGNED.eyeHeight).toBeLessThan(0.3);
  });

  it('overlaps another by the share of their areas', () => {
    const square = { x: 0, y: 0, side: 2, roll: 0 };
    expect(overlap(square, square)).toBe(1);
    expect(overlap(square, { ...square, x: 1 })).toBeCloseTo(1 / 3, 12);
    expect(overlap(square, { ...square, x: 3 })).toBe(0);
  });
});

describe('tracks', () => {
  it('follow two people whatever the order in which they are found, the more present first', () => {
    const small = (frame: number) => at(400 + frame, 100, 60);
    const large = (frame: number) => at(100 + frame, 100, 120);
    const tracks = trackFaces(
      looks((frame) => (frame % 2 ? [small(frame), large(frame)] : [large(frame), small(frame)]), 50),
      rate,
    );
    expect(tracks.map(({ frames }) => frames.length)).toEqual([51, 51]);
    expect(tracks.map(({ frames }) => Math.round(frames[25]!.x))).toEqual([125, 425]);
    expect(tracks[0]!.frames.map(({ frame }) => frame)).toEqual(Array.from({ length: 51 }, (_, i) => i));
  });

  it('are carried across a short gap, and leave a long one out', () => {
    const short = trackFaces(
      looks((f) => (f > 20 && f < 45 ? [] : [at(100, 100)]), 100),
      rate,
    );
    expect(short).toMatchObject([{ found: 17, bridged: 24 }]);
    expect(short[0]!.frames).toHaveLength(101);
    const long = trackFaces(
      looks((f) => (f > 20 && f < 100 ? [] : [at(100, 100)]), 200),
      rate,
    );
    expect(long).toMatchObject([{ found: 26, bridged: 0 }]);
    const frames = long[0]!.frames.map(({ frame }) => frame);
    expect(frames).toHaveLength(21 + 101);
    expect(frames).not.toContain(60);
  });

  it('go on with a face of low score, and do not begin with one', () => {
    const doubtful = (x: number) => faceIn({ x, y: 100, side: 100, roll: 0 }, 0.3);
    const tracks = trackFaces(
      looks((f) => [f < 50 ? at(100, 100) : doubtful(100), doubtful(400)], 100),
      rate,
    );
    expect(tracks).toMatchObject([{ found: 21 }]);
  });

  it('take a jump to another place for another person, and a single sighting for a mistake', () => {
    const tracks = trackFaces(
      looks((f) => [...(f < 50 ? [at(100, 100)] : [at(400, 100)]), ...(f === 25 ? [at(250, 300)] : [])], 100),
      rate,
    );
    expect(tracks.map(({ found }) => found)).toEqual([11, 10]);
    expect(trackFaces([{ frame: 0, faces: [at(9, 9)] }], rate)).toHaveLength(1);
  });

  it('are smoothed: a trembling detector moves the crop less than half as much, and a turn is no jump', () => {
    const [track] = trackFaces(
      looks((f) => [at(100 + (f % 10 ? 4 : -4), 100, 100)], 100),
      rate,
    );
    const xs = track!.frames.slice(20, 80).map(({ x }) => x);
    expect(Math.max(...xs) - Math.min(...xs)).toBeLessThan(4);
    const [turned] = trackFaces(
      looks((f) => [at(100, 100, 100, f % 10 ? 3.1 : -3.1)], 50),
      rate,
    );
    for (const { roll } of turned!.frames) expect(Math.abs(Math.abs(roll) - Math.PI)).toBeLessThan(0.1);
  });
});

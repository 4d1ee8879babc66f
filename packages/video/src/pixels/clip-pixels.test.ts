import { codedFrameBytes, PhiloxStream } from '@tubelet/kernels';
import { beforeAll, describe, expect, it } from 'vitest';
import { turnFrame } from './planes.js';
import type { Box } from './resize.js';
import { Purpose } from '../stream-purposes.js';
import { cropClip } from '../testing/rgb.js';
import { useRuntime } from '../testing/test-runtime.js';
import { ClipPixels } from './clip-pixels.js';
import { joinFrames, type CodedFrames, type StoredFrame } from './coded-frames.js';
import { toRgb } from './to-rgb.js';

const SIZE = 32;
const runtime = useRuntime();
let pixels: ClipPixels;
beforeAll(() => void (pixels = new ClipPixels(runtime(), SIZE)));

/** Smooth pictures with some noise, so that rounding shows. */
function clipOf(frames: readonly Omit<StoredFrame, 'offset'>[]): CodedFrames {
  const random = new PhiloxStream({ seed: 4, purpose: Purpose.crop });
  let total = 0;
  const placed = frames.map((frame) => {
    const offset = total;
    total += codedFrameBytes(frame);
    return { ...frame, offset };
  });
  const bytes = new Uint8Array(4 * Math.ceil(total / 4));
  for (const { offset, width, ...frame } of placed) {
    const length = codedFrameBytes({ width, ...frame });
    for (let i = 0; i < length; i++) {
      bytes[offset + i] = 128 + 90 * Math.sin(i / 9 + (i % width) / 5) + random.integer(20);
    }
  }
  return { bytes, frames: placed };
}

const bytesOf = async (clips: CodedFrames[], boxes?: Box[]) =>
  new Uint8Array(await runtime().readBytes(pixels.frames(clips, boxes)));
const expectedOf = (clips: CodedFrames[]) => Uint8Array.from(clips.flatMap((clip) => [...toRgb(clip, SIZE)]));
const television = { matrix: 'bt709', fullRange: false } as const;

describe('ClipPixels', () => {
  it('gives images of any size the bytes that Pillow gives them', async () => {
    const clips = [
      clipOf([
        { width: 53, height: 37, rotation: 0 },
        { width: 32, height: 32, rotation: 0 },
      ]),
      clipOf([
        { width: 9, height: 70, rotation: 0 },
        { width: 1, height: 1, rotation: 0 },
      ]),
    ];
    expect(await bytesOf(clips)).toEqual(expectedOf(clips));
  });

  it('cuts the box of each clip out of all its frames, to the bit', async () => {
    const frame = { width: 32, height: 32, rotation: 0 } as const;
    const clips = [clipOf([frame, frame]), clipOf([frame, frame])];
    const boxes = [
      { x: 3, y: 5, width: 21, height: 24 },
      { x: 0, y: 0, width: 32, height: 32 },
    ];
    const expected = clips.flatMap((clip, i) => [...cropClip(toRgb(clip, SIZE), SIZE, boxes[i]!)]);
    expect(await bytesOf(clips, boxes)).toEqual(Uint8Array.from(expected));
  });

  it('converts planes as the exact conversion does, to one level', async () => {
    const clips = [clipOf([{ width: 32, height: 32, rotation: 0, colour: television }])];
    const expected = expectedOf(clips);
    const differences = (await bytesOf(clips)).map((byte, i) => Math.abs(byte - expected[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    expect(differences.filter((difference) => difference > 0).length).toBeLessThan(0.005 * expected.length);
  });

  it('scales planes as Pillow scales what they are in RGB', async () => {
    const clip = clipOf([{ width: 56, height: 56, rotation: 0, colour: television }]);
    const full = new ClipPixels(runtime(), 56);
    const rgb = new Uint8Array(await runtime().readBytes(full.frames([clip])));
    full.release();
    const frame = { width: 56, height: 56, rotation: 0, offset: 0 } as const;
    expect(await bytesOf([clip])).toEqual(expectedOf([{ bytes: rgb, frames: [frame] }]));
  });

  it.each([90, 180, 270] as const)(
    'turns frames by %d°: the same bytes as of turned planes',
    async (rotation) => {
      const clip = clipOf([{ width: 40, height: 24, colour: television, rotation }]);
      const turned = turnFrame(
        { width: 40, height: 24, data: clip.bytes.subarray(0, 40 * 24 * 1.5) },
        rotation,
      );
      const frame = {
        width: turned.width,
        height: turned.height,
        colour: television,
        rotation: 0,
        offset: 0,
      } as const;
      expect(await bytesOf([clip])).toEqual(await bytesOf([{ bytes: turned.data, frames: [frame] }]));
    },
  );

  it('takes frames in several forms at once, and bytes that clips share', async () => {
    const clip = clipOf([
      { width: 32, height: 32, rotation: 0, colour: television },
      { width: 20, height: 44, rotation: 0 },
    ]);
    const reversed = { bytes: clip.bytes, frames: [...clip.frames].reverse() };
    const both = await bytesOf([clip, reversed]);
    const alone = await bytesOf([clip]);
    const frameBytes = SIZE * SIZE * 3;
    expect(both.subarray(0, 2 * frameBytes)).toEqual(alone);
    expect(both.subarray(2 * frameBytes, 3 * frameBytes)).toEqual(alone.subarray(frameBytes));
    expect(both.subarray(3 * frameBytes)).toEqual(alone.subarray(0, frameBytes));
  });

  it('takes frames that were handed over one by one', () => {
    const clip = clipOf([
      { width: 5, height: 3, rotation: 0, colour: television },
      { width: 4, height: 4, rotation: 0 },
    ]);
    const handedOver = clip.frames.map(({ offset, rotation: _, ...frame }) => ({
      frame,
      data: clip.bytes.subarray(offset, offset + codedFrameBytes(frame)),
    }));
    expect(joinFrames(handedOver)).toEqual(clip);
  });

  it('refuses a size that kernels cannot pack, and clips of other lengths', () => {
    const frame = { width: 4, height: 4, rotation: 0 } as const;
    const clips = [clipOf([frame, frame]), clipOf([frame])];
    expect(() => pixels.frames(clips)).toThrow(/clips of 2 and 1 frames are not a batch/);
    expect(() => pixels.frames([])).toThrow(/give clips of equal length/);
    expect(() => new ClipPixels(runtime(), 30)).toThrow(/size is 30: give a multiple of 4/);
  });
});

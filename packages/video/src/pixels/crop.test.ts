import { describe, expect, it } from 'vitest';
import { cropBox, drawMultiScaleCrop, multiScaleCropOffsets, multiScaleCropSizes } from './crop.js';
import { reference, referenceImage } from '../testing/reference.js';
import { cropClip } from '../testing/rgb.js';

describe('cropBox', () => {
  it('cuts the top centre out of VoxCeleb2 frames', () => {
    expect(cropBox('voxceleb', 224, 224, 160)).toEqual({ x: 32, y: 0, width: 160, height: 160 });
    expect(cropBox('voxceleb', 224, 224, 192)).toEqual({ x: 16, y: 0, width: 192, height: 192 });
  });

  it('cuts the same part out of frames of other sizes, and for smaller outputs', () => {
    expect(cropBox('voxceleb', 448, 448, 160)).toEqual({ x: 64, y: 0, width: 320, height: 320 });
    expect(cropBox('voxceleb', 224, 224, 64)).toEqual({ x: 32, y: 0, width: 160, height: 160 });
    expect(cropBox('voxceleb', 400, 300, 160)).toEqual({ x: 92, y: 0, width: 214, height: 214 });
  });

  it('cuts the middle square, or nothing', () => {
    expect(cropBox('centre', 400, 300, 160)).toEqual({ x: 50, y: 0, width: 300, height: 300 });
    expect(cropBox('centre', 90, 161, 160)).toEqual({ x: 0, y: 34, width: 90, height: 90 });
    expect(cropBox('none', 90, 161, 160)).toEqual({ x: 0, y: 0, width: 90, height: 161 });
  });

  it('stays inside frames of any size', () => {
    for (const mode of ['voxceleb', 'centre', 'none'] as const) {
      for (const [width, height] of [
        [1, 1],
        [2, 3],
        [101, 57],
        [57, 101],
      ] as const) {
        const box = cropBox(mode, width, height, 160);
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.y).toBeGreaterThanOrEqual(0);
        expect(box.width).toBeGreaterThanOrEqual(1);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(height);
      }
    }
  });
});

describe('multi-scale crop', () => {
  it('has the sizes and places of the reference', () => {
    expect(multiScaleCropSizes(160)).toEqual(reference.multiScaleCrop160.sizes);
    expect(multiScaleCropOffsets(160, 140, 120)).toEqual(reference.multiScaleCrop160.offsetsOf140x120);
  });

  it('draws the size first, then the place', () => {
    const limits: number[] = [];
    const answers = [4, 10];
    const box = drawMultiScaleCrop(160, { integer: (n) => (limits.push(n), answers.shift() as number) });
    expect(limits).toEqual([10, 13]);
    expect(box).toEqual({ x: 30, y: 5, width: 120, height: 140 });
  });

  it('cuts the same box out of every frame', () => {
    const { pixels } = referenceImage('ms.src');
    const second = pixels.map((value) => 255 - value);
    const box = { x: 5, y: 3, width: 26, height: 35 };
    const clip = cropClip(new Uint8Array([...pixels, ...second]), 40, box);
    expect(clip).toHaveLength(2 * 40 * 40 * 3);
    const alone = cropClip(second, 40, box);
    expect(Buffer.compare(clip.subarray(40 * 40 * 3), alone)).toBe(0);
    expect(Buffer.compare(clip.subarray(0, 40 * 40 * 3), cropClip(pixels, 40, box))).toBe(0);
  });
});

import { PhiloxStream } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { drawErasedBox } from './random-erasing.js';
import { eraseBox } from './testing/clip-operations.js';
import { scripted } from './testing/transform-reference.js';
import { Purpose } from '../stream-purposes.js';

describe('drawErasedBox', () => {
  it('makes a box of the drawn area, aspect and place', () => {
    // Area 0.02 + (1/3 − 0.02) · 0.5 of 160², aspect 1: a square of edge √4522.7 ≈ 67.3.
    const random = scripted({ uniforms: [0.249, 0.5, 0.5], integers: [93, 7] });
    expect(drawErasedBox(160, 160, random)).toEqual({ x: 7, y: 93, width: 67, height: 67 });
  });

  it('leaves three clips of four alone', () => {
    expect(drawErasedBox(160, 160, scripted({ uniforms: [0.25] }))).toBeUndefined();
    const random = new PhiloxStream({ seed: 4, purpose: Purpose.erase });
    const boxes = Array.from({ length: 4000 }, () => drawErasedBox(160, 160, random)).flatMap(
      (box) => box ?? [],
    );
    expect(Math.abs(boxes.length - 1000)).toBeLessThan(110);
    for (const { x, y, width, height } of boxes) {
      expect(x >= 0 && y >= 0 && x + width <= 160 && y + height <= 160).toBe(true);
      expect(width < 160 && height < 160).toBe(true);
      expect(width * height).toBeGreaterThan(0.019 * 25600);
      expect(width * height).toBeLessThan(0.34 * 25600);
      expect(height / width).toBeGreaterThan(0.28);
      expect(height / width).toBeLessThan(3.5);
    }
  });

  it('gives up after a hundred boxes that do not fit, and refuses options out of range', () => {
    const random = scripted({ uniforms: new Array<number>(201).fill(0) });
    expect(drawErasedBox(160, 160, random, { area: [1, 1] })).toBeUndefined();
    expect(() => drawErasedBox(160, 160, random, { probability: -1 })).toThrow(/probability is -1/);
    expect(() => drawErasedBox(160, 160, random, { area: [0, 1] })).toThrow(/area is \[0, 1\]/);
  });
});

describe('eraseBox', () => {
  it('fills the box with normal noise of its own in every frame and channel, and nothing else', () => {
    const [frames, width, height] = [16, 40, 30];
    const values = new Float32Array(3 * frames * width * height).fill(7);
    const box = { x: 3, y: 10, width: 20, height: 15 };
    eraseBox({ values, frames, width, height }, box, new PhiloxStream({ seed: 9, purpose: Purpose.erase }));
    const noise: number[] = [];
    values.forEach((value, i) => {
      const x = i % width;
      const y = Math.floor(i / width) % height;
      if (x >= 3 && x < 23 && y >= 10 && y < 25) noise.push(value);
      else expect(value).toBe(7);
    });
    expect(noise).toHaveLength(48 * 300);
    expect(new Set(noise).size).toBeGreaterThan(0.999 * noise.length);
    const mean = noise.reduce((sum, value) => sum + value) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(noise.length));
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  it('refuses a box outside the frames', () => {
    const clip = { values: new Float32Array(3 * 4), frames: 1, width: 2, height: 2 };
    expect(() => eraseBox(clip, { x: 1, y: 0, width: 2, height: 1 }, scripted({}))).toThrow(RangeError);
  });
});

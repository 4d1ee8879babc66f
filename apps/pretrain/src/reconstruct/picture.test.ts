import { describe, expect, it } from 'vitest';
import { assemblePicture } from './picture.js';

describe('assemblePicture', () => {
  const row = (label: string, first: number) => ({
    label,
    frames: Uint8Array.from({ length: 2 * 3 }, (_, i) => first + i),
  });

  it('puts frames side by side and groups further apart than rows', () => {
    const groups = [[row('a', 10)], [row('b', 20), row('c', 30)]];
    const { data, width, height } = assemblePicture(groups, { frameSize: 1, frameCount: 2, gap: 1 });
    expect([width, height]).toEqual([3, 8]);
    const white = [255, 255, 255];
    const line = (y: number) => Array.from(data.subarray(y * 9, y * 9 + 9));
    expect(line(0)).toEqual([10, 11, 12, ...white, 13, 14, 15]);
    for (const y of [1, 2, 3, 4]) expect(line(y)).toEqual([...white, ...white, ...white]);
    expect(line(5)).toEqual([20, 21, 22, ...white, 23, 24, 25]);
    expect(line(6)).toEqual([...white, ...white, ...white]);
    expect(line(7)).toEqual([30, 31, 32, ...white, 33, 34, 35]);
  });

  it('refuses a row of another number of frames', () => {
    const one = { label: 'masked', frames: new Uint8Array(3) };
    expect(() => assemblePicture([[one]], { frameSize: 1, frameCount: 2 })).toThrow(
      'masked has 3 values instead of 6',
    );
  });
});

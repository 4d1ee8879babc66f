import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { cubesFromVideoKernel, cubesKernel } from './cubes.cases.js';
import { extractCubes, extractCubesFromVideo } from './cubes.js';

describe('cubes', () => {
  const runtime = useRuntime();

  testKernel(runtime, cubesKernel);
  testKernel(runtime, cubesFromVideoKernel);

  it('read one clip of a batch through a view, and write into a view', async () => {
    await runtime().scope(async () => {
      const bytes = Uint8Array.from({ length: 2 * 2 * 4 * 8 * 3 }, (_, i) => (i * 7) % 256);
      const batch = runtime().upload(bytes, [2, 2, 4, 8, 3]);
      const both = runtime().empty([2, 2, 96]);
      const cube = { tubeletSize: 2, patch: 4 };
      extractCubes(runtime(), { frames: batch, out: both, ...cube });
      const expected = (await runtime().read(both)).slice(192);
      const views = runtime().empty([3, 2, 96]);
      extractCubes(runtime(), { frames: batch.slice(0, 1, 2), out: views.slice(0, 2, 3), ...cube });
      expect((await runtime().read(views)).slice(384)).toEqual(expected);
    });
  });

  it('mark a token that does not exist with NaN', async () => {
    await runtime().scope(async () => {
      const frames = runtime().upload(new Uint8Array(1 * 2 * 4 * 8 * 3), [1, 2, 4, 8, 3]);
      const video = runtime().upload(new Float32Array(3 * 2 * 4 * 8), [1, 3, 2, 4, 8]);
      const indices = runtime().upload(Uint32Array.of(1, 2), [1, 2]);
      for (const extract of [
        (out: ReturnType<typeof frames.slice>) => extractCubes(runtime(), { frames, indices, out, patch: 4 }),
        (out: ReturnType<typeof frames.slice>) =>
          extractCubesFromVideo(runtime(), { video, indices, out, patch: 4 }),
      ]) {
        const out = runtime().empty([1, 2, 96]);
        extract(out);
        const values = await runtime().read(out);
        expect(values.slice(0, 96).every(Number.isFinite)).toBe(true);
        expect(values.slice(96).every(Number.isNaN)).toBe(true);
      }
    });
  });

  it('refuse clips that do not divide into cubes, and outputs of another shape', () => {
    runtime().scope(() => {
      const frames = runtime().empty([1, 3, 16, 16, 3], 'u8');
      const out = runtime().empty([1, 1, 1536]);
      expect(() => extractCubes(runtime(), { frames, out })).toThrow(/3 frames of 16×16 do not divide/);
      const pair = runtime().empty([1, 2, 16, 16, 3], 'u8');
      expect(() => extractCubes(runtime(), { frames: pair, out, patch: 6 })).toThrow(/patch is 6/);
      expect(() => extractCubes(runtime(), { frames: pair, out, patch: 8 })).toThrow(/give f32\[1, 4, 384\]/);
      expect(() => extractCubes(runtime(), { frames: out, out })).toThrow(/give a u8 array/);
      const indices = runtime().empty([2, 1], 'u32');
      expect(() => extractCubes(runtime(), { frames: pair, indices, out })).toThrow(/indices is u32\[2, 1\]/);
    });
  });
});

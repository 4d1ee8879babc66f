import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { packFramesKernel } from './pack-frames.cases.js';
import { packFrames } from './pack-frames.js';

describe('pack frames', () => {
  const runtime = useRuntime();

  testKernel(runtime, packFramesKernel);

  it('writes a part of a batch', async () => {
    await runtime().scope(async () => {
      const frames = runtime().upload(new Uint8Array(48), [2, 8, 3]);
      const pixels = runtime().upload(
        Uint32Array.from({ length: 8 }, (_, i) => 0x030201 * (i + 1)),
        [8],
      );
      packFrames(runtime(), { pixels, frames: frames.slice(0, 1, 2) });
      const bytes = new Uint8Array(await runtime().readBytes(frames));
      const written = Array.from({ length: 24 }, (_, i) => (1 + (i % 3)) * (1 + Math.floor(i / 3)));
      expect([...bytes]).toEqual([...new Array<number>(24).fill(0), ...written]);
    });
  });

  it('refuses frames of another size', () => {
    runtime().scope(() => {
      const frames = runtime().empty([2, 2, 3], 'u8');
      expect(() => packFrames(runtime(), { pixels: runtime().empty([8], 'u32'), frames })).toThrow(
        /u32\[8\] do not fill u8\[2, 2, 3\]/,
      );
      expect(() => packFrames(runtime(), { pixels: runtime().empty([4]), frames })).toThrow(/f32\[4\] do/);
    });
  });
});

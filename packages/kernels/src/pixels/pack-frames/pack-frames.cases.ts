import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import { packFrames, packFramesCost, packFramesVariants } from './pack-frames.js';

interface PackShape {
  readonly pixels: number;
}

const cases: readonly KernelCase<PackShape>[] = [
  { name: 'four pixels', kind: 'edge', shape: { pixels: 4 } },
  { name: 'a clip of 160×160', kind: 'model', shape: { pixels: 16 * 160 * 160 } },
];

export const packFramesKernel = defineKernel<PackShape>({
  name: 'pack-frames',
  summary: 'pixels as frames of RGB bytes',
  variants: packFramesVariants,
  cases,
  randomShape: (random) => ({ pixels: 4 * (1 + random.integer(500)) }),
  inputs: ({ pixels }) => ({
    pixels: {
      shape: [pixels],
      dtype: 'u32',
      fill: (random) => Uint32Array.from({ length: pixels }, () => random.integer(2 ** 24)),
    },
  }),
  outputs: ({ pixels }) => ({ frames: { shape: [pixels, 3], dtype: 'u8' } }),
  run: (runtime, _, { pixels }, { frames }) => packFrames(runtime, { pixels: pixels!, frames: frames! }),
  reference: (_, { pixels }) => ({
    frames: Float64Array.from({ length: 3 * pixels!.length }, (__, i) => {
      return (pixels![Math.floor(i / 3)]! >> (8 * (i % 3))) & 255;
    }),
  }),
  cost: ({ pixels }) => packFramesCost(pixels),
});

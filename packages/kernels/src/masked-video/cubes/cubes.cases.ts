import { defineKernel, type KernelCase, type Random } from '../../kernel-spec.js';
import { cubesCost, cubesVariants, extractCubes, extractCubesFromVideo } from './cubes.js';
import {
  cubesReference,
  normalisedFrames,
  tokensOf,
  videoValues,
  type CubeShape,
} from './cubes.reference.js';

interface CubesCase extends CubeShape {
  /** Tokens taken from each clip, in random order; `all` of them in order. */
  readonly taken: number | 'all';
}

const lgi = { frames: 16, height: 160, width: 160, tubeletSize: 2, patch: 16 } as const;
const cases: readonly KernelCase<CubesCase>[] = [
  {
    name: 'one cube of 4 pixels a side',
    kind: 'edge',
    shape: { batch: 1, frames: 1, height: 4, width: 4, tubeletSize: 1, patch: 4, taken: 'all' },
  },
  { name: 'visible cubes of 16×160×160', kind: 'model', shape: { batch: 2, ...lgi, taken: 80 } },
  { name: 'all cubes of 16×160×160', kind: 'model', shape: { batch: 1, ...lgi, taken: 'all' } },
];

function randomShape(random: Random): CubesCase {
  const tubeletSize = 1 + random.integer(3);
  const patch = 4 * (1 + random.integer(3));
  const shape = {
    batch: 1 + random.integer(3),
    frames: tubeletSize * (1 + random.integer(3)),
    height: patch * (1 + random.integer(3)),
    width: patch * (1 + random.integer(4)),
    tubeletSize,
    patch,
  };
  return { ...shape, taken: random.integer(2) ? 'all' : 1 + random.integer(tokensOf(shape)) };
}

const count = (shape: CubesCase) => (shape.taken === 'all' ? tokensOf(shape) : shape.taken);
const length = ({ tubeletSize, patch }: CubesCase) => 3 * tubeletSize * patch * patch;
const indexInput = (shape: CubesCase) => ({
  indices: {
    shape: [shape.batch, count(shape)],
    dtype: 'u32' as const,
    fill: (random: Random) =>
      Uint32Array.from({ length: shape.batch * count(shape) }, (_, i) =>
        shape.taken === 'all' ? i % tokensOf(shape) : random.integer(tokensOf(shape)),
      ),
  },
});

export const cubesKernel = defineKernel<CubesCase>({
  name: 'cubes',
  summary: 'cubes of uint8 frames, normalised: the rows of the patch embedding',
  variants: cubesVariants,
  cases,
  randomShape,
  inputs: (shape) => {
    const extent = [shape.batch, shape.frames, shape.height, shape.width, 3];
    const size = extent.reduce((a, b) => a * b);
    const fill = (random: Random) => Uint8Array.from({ length: size }, () => random.integer(256));
    return { frames: { shape: extent, dtype: 'u8', fill }, ...indexInput(shape) };
  },
  outputs: (shape) => ({ out: { shape: [shape.batch, count(shape), length(shape)] } }),
  run: (runtime, { tubeletSize, patch, taken }, { frames, indices }, { out }) => {
    const chosen = taken === 'all' ? undefined : indices;
    extractCubes(runtime, { frames: frames!, indices: chosen, tubeletSize, patch, out: out! });
  },
  reference: (shape, { frames, indices }) => ({
    out: cubesReference(shape, indices!, normalisedFrames(shape, frames!)),
  }),
  cost: (shape) => cubesCost(shape.batch * count(shape), length(shape), 1, shape.taken !== 'all'),
  tolerance: 5e-7,
});

export const cubesFromVideoKernel = defineKernel<CubesCase>({
  name: 'cubes-from-video',
  summary: 'cubes of a normalised f32 video',
  variants: cubesVariants,
  cases,
  randomShape,
  inputs: (shape) => ({
    video: { shape: [shape.batch, 3, shape.frames, shape.height, shape.width] },
    ...indexInput(shape),
  }),
  outputs: (shape) => ({ out: { shape: [shape.batch, count(shape), length(shape)] } }),
  run: (runtime, { tubeletSize, patch, taken }, { video, indices }, { out }) => {
    const chosen = taken === 'all' ? undefined : indices;
    extractCubesFromVideo(runtime, { video: video!, indices: chosen, tubeletSize, patch, out: out! });
  },
  reference: (shape, { video, indices }) => ({
    out: cubesReference(shape, indices!, videoValues(shape, video!)),
  }),
  cost: (shape) => cubesCost(shape.batch * count(shape), length(shape), 4, shape.taken !== 'all'),
  tolerance: 0,
});

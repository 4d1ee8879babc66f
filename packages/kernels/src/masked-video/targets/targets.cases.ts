import { IMAGENET_MEAN, IMAGENET_STD } from '../cubes/clip-geometry.js';
import { tokensOf, videoValues, type CubeShape } from '../cubes/cubes.reference.js';
import { defineKernel, type KernelCase, type KernelSpec, type Random } from '../../kernel-spec.js';
import {
  reconstructionTargets,
  reconstructionTargetsFromVideo,
  targetsCost,
  targetsVariants,
} from './targets.js';
import { targetsReference, type PixelReader, type TargetReferenceOptions } from './targets.reference.js';

interface TargetsShape extends CubeShape, TargetReferenceOptions {
  /** Tokens taken of each clip. */
  readonly taken: number;
}

// Of the grid that other tests have: every other is a program of its own.
const small = { batch: 2, frames: 8, height: 32, width: 32, tubeletSize: 2, patch: 16, taken: 11 } as const;
const cases: readonly KernelCase<TargetsShape>[] = [
  {
    name: 'LGI-Former base: 720 of 800 cubes of 16×160×160',
    kind: 'model',
    shape: {
      batch: 1,
      frames: 16,
      height: 160,
      width: 160,
      tubeletSize: 2,
      patch: 16,
      taken: 720,
      normalize: true,
      frameDifferenceGroup: 2,
    },
  },
  { name: 'no differences', kind: 'edge', shape: { ...small, normalize: true, frameDifferenceGroup: 1 } },
  { name: 'raw differences', kind: 'edge', shape: { ...small, normalize: false, frameDifferenceGroup: 2 } },
  { name: 'raw over cubes', kind: 'edge', shape: { ...small, normalize: false, frameDifferenceGroup: 4 } },
  {
    name: 'groups over two cubes',
    kind: 'edge',
    shape: { ...small, normalize: true, frameDifferenceGroup: 4 },
  },
  {
    name: 'two groups in a cube',
    kind: 'edge',
    shape: { ...small, tubeletSize: 4, normalize: true, frameDifferenceGroup: 2, taken: 12 },
  },
];

function randomShape(random: Random): TargetsShape {
  const tubeletSize = 1 + random.integer(2);
  const patch = 4 * (1 + random.integer(3));
  const frameDifferenceGroup = tubeletSize * [1, 2, 4][random.integer(3)]!;
  const shape = {
    batch: 1 + random.integer(2),
    frames: frameDifferenceGroup * (1 + random.integer(2)),
    height: patch * (1 + random.integer(2)),
    width: patch * (1 + random.integer(3)),
    tubeletSize,
    patch,
    normalize: random.integer(3) > 0,
    frameDifferenceGroup,
  };
  return { ...shape, taken: 1 + random.integer(tokensOf(shape)) };
}

const cubeLength = ({ tubeletSize, patch }: TargetsShape) => 3 * tubeletSize * patch * patch;

/** Parts that both kernels share; the statistics are tested separately. */
function describeTargets(
  kernel: Pick<KernelSpec<TargetsShape>, 'name' | 'summary' | 'run'>,
  valueBytes: 1 | 4,
  source: (shape: TargetsShape) => ReturnType<KernelSpec<TargetsShape>['inputs']>,
  reader: (shape: TargetsShape, values: Float64Array) => PixelReader,
): KernelSpec<TargetsShape> {
  return defineKernel<TargetsShape>({
    ...kernel,
    variants: targetsVariants,
    cases,
    randomShape,
    inputs: (shape) => ({
      ...source(shape),
      masked: {
        shape: [shape.batch, shape.taken],
        dtype: 'u32',
        fill: (random) =>
          Uint32Array.from({ length: shape.batch * shape.taken }, () => random.integer(tokensOf(shape))),
      },
    }),
    outputs: (shape) => ({ out: { shape: [shape.batch, shape.taken, cubeLength(shape)] } }),
    reference: (shape, { source: values, masked }) => ({
      out: targetsReference(shape, masked!, reader(shape, values!), shape).out,
    }),
    cost: (shape) => targetsCost(shape.batch * shape.taken, cubeLength(shape), valueBytes),
    tolerance: 2e-6,
  });
}

export const targetsKernel = describeTargets(
  {
    name: 'targets',
    summary: 'reconstruction targets of masked cubes, from uint8 frames',
    run: (runtime, shape, { source, masked }, { out }) =>
      reconstructionTargets(runtime, { ...options(shape), frames: source!, masked: masked!, out: out! }),
  },
  1,
  ({ batch, frames, height, width }) => {
    const shape = [batch, frames, height, width, 3];
    const size = shape.reduce((a, b) => a * b);
    return { source: { shape, dtype: 'u8', fill: (random) => bytesWithContrast(size, random) } };
  },
  ({ frames, height, width }, bytes) =>
    (clip, c, frame, y, x) =>
      bytes[(((clip * frames + frame) * height + y) * width + x) * 3 + c]! / 255,
);

export const targetsFromVideoKernel = describeTargets(
  {
    name: 'targets-from-video',
    summary: 'reconstruction targets of masked cubes, from a normalised f32 video',
    run: (runtime, shape, { source, masked }, { out }) =>
      reconstructionTargetsFromVideo(runtime, {
        ...options(shape),
        video: source!,
        masked: masked!,
        out: out!,
      }),
  },
  4,
  ({ batch, frames, height, width }) => ({ source: { shape: [batch, 3, frames, height, width] } }),
  (shape, video) => {
    const at = videoValues(shape, video);
    return (clip, c, frame, y, x) => at(clip, c, frame, y, x) * IMAGENET_STD[c]! + IMAGENET_MEAN[c]!;
  },
);

function options({ tubeletSize, patch, normalize, frameDifferenceGroup }: TargetsShape) {
  return { tubeletSize, patch, normalize, frameDifferenceGroup };
}

// A slope with noise: cubes differ in mean and in contrast, as in pictures.
function bytesWithContrast(size: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => ((200 * i) / size + 55 * random.uniform()) | 0);
}

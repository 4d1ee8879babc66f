import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import {
  codedFrameBytes,
  unpackCost,
  unpackedStride,
  unpackFrames,
  unpackRecord,
  UNPACK_RECORD,
  unpackVariants,
  type CodedFrame,
  type Colour,
} from './unpack.js';
import { unpackReference } from './unpack.reference.js';

interface UnpackShape extends CodedFrame {
  readonly frames: number;
}

const MATRICES = ['bt601', 'bt709', 'bt2020'] as const;
const television: Colour = { matrix: 'bt601', fullRange: false };

const cases: readonly KernelCase<UnpackShape>[] = [
  { name: 'one pixel, planar', kind: 'edge', shape: { frames: 1, width: 1, height: 1, colour: television } },
  { name: 'one pixel, RGB', kind: 'edge', shape: { frames: 1, width: 1, height: 1 } },
  {
    name: 'odd sizes, planar',
    kind: 'edge',
    shape: { frames: 3, width: 71, height: 37, colour: { matrix: 'bt2020', fullRange: true } },
  },
  {
    name: 'a clip of 160×160, planar',
    kind: 'model',
    shape: { frames: 16, width: 160, height: 160, colour: television },
  },
  { name: 'a clip of 256×256, RGB', kind: 'model', shape: { frames: 16, width: 256, height: 256 } },
];

const bytesOf = (shape: UnpackShape) => shape.frames * codedFrameBytes(shape);
const words = ({ frames, width, height }: UnpackShape) => frames * height * unpackedStride(width);

export const unpackKernel = defineKernel<UnpackShape>({
  name: 'unpack',
  summary: 'decoded frames (4:2:0 planes or RGB bytes) as pixels',
  variants: unpackVariants,
  cases,
  randomShape: (random) => ({
    frames: 1 + random.integer(3),
    width: 1 + random.integer(80),
    height: 1 + random.integer(40),
    colour:
      random.integer(3) === 0
        ? undefined
        : { matrix: MATRICES[random.integer(3)]!, fullRange: random.integer(2) === 0 },
  }),
  inputs: (shape) => ({
    bytes: {
      shape: [bytesOf(shape) + 4],
      dtype: 'u8',
      fill: (random) => Uint8Array.from({ length: bytesOf(shape) + 4 }, () => random.integer(256)),
    },
    jobs: {
      shape: [shape.frames, UNPACK_RECORD],
      dtype: 'u32',
      fill: () =>
        Uint32Array.from(
          Array.from({ length: shape.frames }, (_, i) =>
            unpackRecord(shape, i * codedFrameBytes(shape), (i * words(shape)) / shape.frames),
          ).flat(),
        ),
    },
  }),
  outputs: (shape) => ({
    pixels: { shape: [words(shape)], dtype: 'u32' },
  }),
  run: (runtime, { colour, width, height }, { bytes, jobs }, { pixels }) =>
    unpackFrames(runtime, {
      ...{ bytes: bytes!, jobs: jobs!, pixels: pixels!, planar: colour !== undefined, width, height },
    }),
  reference: (shape, { bytes }) => ({ pixels: unpackReference(shape, shape.frames, bytes!) }),
  cost: ({ frames, width, height, colour }) => unpackCost(frames, width, height, colour !== undefined),
});

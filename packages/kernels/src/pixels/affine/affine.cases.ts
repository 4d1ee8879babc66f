import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import {
  affineCost,
  AFFINE_RECORD,
  affineRecord,
  affineVariants,
  seeThroughMaps,
  type AffineMatrix,
} from './affine.js';
import { affineReference } from './affine.reference.js';

interface MapShape {
  /** Each is seen through another map, in turn. */
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

const cases: readonly KernelCase<MapShape>[] = [
  { name: 'one pixel', kind: 'edge', shape: { frames: 7, width: 1, height: 1 } },
  { name: 'a clip of 160×160', kind: 'model', shape: { frames: 16, width: 160, height: 160 } },
];

/** Rotation, shears and translations, and maps that no operation of Pillow's uses. */
export function mapsOf({ width, height }: { readonly width: number; readonly height: number }) {
  const turn = (degrees: number): AffineMatrix => {
    const [cosine, sine] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    const [x, y] = [width / 2, height / 2];
    return [cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y];
  };
  const maps: AffineMatrix[] = [
    turn(21.7),
    [1, 0.2103, 0, 0, 1, 0],
    [1, 0, 0, -0.1971, 1, 0],
    [1, 0, -0.3147 * width, 0, 1, 0],
    [1, 0, 0, 0, 1, 0.2718 * height],
    [1, 0, 0, 0, 1, 0],
    [-1, 0, width, 0, 0.5, 0.25 * height],
  ];
  return maps;
}

const area = ({ width, height }: MapShape) => width * height;
const total = (shape: MapShape) => shape.frames * area(shape);
const mapOf = (shape: MapShape, frame: number) => mapsOf(shape)[frame % mapsOf(shape).length]!;

export const affineKernel = defineKernel<MapShape>({
  name: 'affine',
  summary: 'frames rotated, sheared and moved: bicubic, in fixed point',
  variants: affineVariants,
  cases,
  randomShape: (random) => ({
    frames: 7,
    width: 1 + random.integer(60),
    height: 1 + random.integer(40),
  }),
  inputs: (shape) => ({
    jobs: {
      shape: [shape.frames, AFFINE_RECORD],
      dtype: 'u32',
      fill: () =>
        Uint32Array.from(
          Array.from({ length: shape.frames }, (_, frame) =>
            affineRecord({
              ...{ matrix: mapOf(shape, frame), width: shape.width, height: shape.height },
              ...{ source: frame * area(shape), out: total(shape) + frame * area(shape) },
            }),
          ).flat(),
        ),
    },
  }),
  outputs: (shape) => ({
    pixels: {
      shape: [2 * total(shape)],
      dtype: 'u32',
      initial: (random) =>
        Uint32Array.from({ length: 2 * total(shape) }, (_, i) =>
          i < total(shape) ? random.integer(2 ** 24) : 0,
        ),
    },
  }),
  run: (runtime, { width, height }, { jobs }, { pixels }) =>
    seeThroughMaps(runtime, { pixels: pixels!, jobs: jobs!, width, height }),
  reference: (shape, { pixels }) => ({
    pixels: Float64Array.from([
      ...pixels!.subarray(0, total(shape)),
      ...Array.from({ length: shape.frames }, (_, frame) =>
        affineReference(
          pixels!.subarray(frame * area(shape), (frame + 1) * area(shape)),
          shape,
          mapOf(shape, frame),
        ),
      ).flat(),
    ]),
  }),
  cost: ({ frames, width, height }) => affineCost(frames, width, height),
});

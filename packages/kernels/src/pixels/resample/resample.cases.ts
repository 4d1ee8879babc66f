import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import {
  filterWords,
  resampleCost,
  resampleFrames,
  resampleRecord,
  RESAMPLE_RECORD,
  resampleVariants,
  type PixelLayout,
} from './resample.js';
import { resampleReference } from './resample.reference.js';

interface ResampleShape {
  readonly frames: number;
  /** Of a source frame. */
  readonly width: number;
  readonly height: number;
  readonly axis: 'rows' | 'columns';
  readonly outputs: number;
  /** Seen from its last pixel on, backwards. */
  readonly turned: boolean;
}

const cases: readonly KernelCase<ResampleShape>[] = [
  {
    name: 'one pixel',
    kind: 'edge',
    shape: { frames: 1, width: 1, height: 1, axis: 'rows', outputs: 1, turned: false },
  },
  {
    name: 'a frame made much smaller, turned by 180°',
    kind: 'edge',
    shape: { frames: 2, width: 67, height: 35, axis: 'columns', outputs: 5, turned: true },
  },
  {
    name: 'rows of a clip from 256 to 160',
    kind: 'model',
    shape: { frames: 16, width: 256, height: 256, axis: 'rows', outputs: 160, turned: false },
  },
  {
    name: 'columns of a clip from 105 to 160',
    kind: 'model',
    shape: { frames: 16, width: 160, height: 105, axis: 'columns', outputs: 160, turned: false },
  },
];

const area = ({ width, height }: ResampleShape) => width * height;
const result = ({ axis, width, height, outputs }: ResampleShape) =>
  axis === 'rows' ? { width: outputs, height } : { width, height: outputs };
const resultArea = (shape: ResampleShape) => result(shape).width * result(shape).height;
const filterOf = ({ axis, width, height, outputs }: ResampleShape) =>
  filterWords({ length: axis === 'rows' ? width : height, outputs });

function layoutOf(shape: ResampleShape, frame: number): PixelLayout {
  const first = frame * area(shape);
  return shape.turned
    ? { first: first + area(shape) - 1, column: -1, row: -shape.width }
    : { first, column: 1, row: shape.width };
}

export const resampleKernel = defineKernel<ResampleShape>({
  name: 'resample',
  summary: "one axis of Pillow's bilinear resize, of pixels",
  variants: resampleVariants,
  cases,
  randomShape: (random) => ({
    frames: 1 + random.integer(3),
    width: 2 + random.integer(50),
    height: 2 + random.integer(50),
    axis: random.integer(2) ? 'rows' : 'columns',
    outputs: 1 + random.integer(60),
    turned: random.integer(2) === 0,
  }),
  inputs: (shape) => ({
    source: {
      shape: [shape.frames * area(shape)],
      dtype: 'u32',
      fill: (random) =>
        Uint32Array.from({ length: shape.frames * area(shape) }, () => random.integer(2 ** 24)),
    },
    jobs: {
      shape: [shape.frames, RESAMPLE_RECORD],
      dtype: 'u32',
      fill: () =>
        Uint32Array.from(
          Array.from({ length: shape.frames }, (_, frame) =>
            resampleRecord({
              axis: shape.axis,
              source: layoutOf(shape, frame),
              out: { first: frame * resultArea(shape), column: 1, row: result(shape).width },
              ...result(shape),
              filter: 0,
            }),
          ).flat(),
        ),
    },
    table: { shape: [filterOf(shape).length], dtype: 'u32', fill: () => filterOf(shape) },
  }),
  outputs: (shape) => ({ pixels: { shape: [shape.frames * resultArea(shape)], dtype: 'u32' } }),
  run: (runtime, shape, { source, jobs, table }, { pixels }) =>
    resampleFrames(runtime, {
      ...{ source: source!, jobs: jobs!, table: table!, pixels: pixels! },
      ...{ axis: shape.axis, ...result(shape) },
    }),
  reference: (shape, { source, table }) => ({
    pixels: Float64Array.from(
      Array.from({ length: shape.frames }, (_, frame) => [
        ...resampleReference(source!, table!, {
          axis: shape.axis,
          from: layoutOf(shape, frame),
          ...result(shape),
          filter: 0,
        }),
      ]).flat(),
    ),
  }),
  cost: (shape) => resampleCost(shape.frames, result(shape).width, result(shape).height),
});

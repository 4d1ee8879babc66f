import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import {
  applyTones,
  blendTable,
  levelTable,
  toneCost,
  TONE_RECORD,
  toneRecord,
  toneVariants,
  type ToneJob,
} from './tone.js';
import { toneReference } from './tone.reference.js';

interface ToneShape {
  /** Each gets another of five operations, in turn. */
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

const cases: readonly KernelCase<ToneShape>[] = [
  { name: 'one pixel', kind: 'edge', shape: { frames: 5, width: 1, height: 1 } },
  { name: 'a row', kind: 'edge', shape: { frames: 5, width: 40, height: 1 } },
  { name: 'a clip of 160×160', kind: 'model', shape: { frames: 16, width: 160, height: 160 } },
];

/** An operation for each frame in turn, and its tables. */
const OPERATIONS = [
  { kind: 'levels', level: (of: number) => 255 - of, tables: [levelTable((of) => 255 - of)] },
  {
    kind: 'levels',
    level: (of: number, channel: number) => (of * (channel + 1)) % 256,
    tables: [0, 1, 2].map((channel) => levelTable((of) => (of * (channel + 1)) % 256)),
  },
  { kind: 'colour', factor: 1.63, tables: [blendTable(1.63)] },
  { kind: 'sharpness', factor: 0.37, tables: [blendTable(0.37)] },
  { kind: 'sharpness', factor: 1.9, tables: [blendTable(1.9)] },
] as const;
const ofFrame = (frame: number) => frame % OPERATIONS.length;
const words = OPERATIONS.map(({ tables }) => tables.flatMap((table) => [...table]));
const places = words.map((_, i) => words.slice(0, i).reduce((sum, { length }) => sum + length, 0));

const area = ({ width, height }: ToneShape) => width * height;
const total = (shape: ToneShape) => shape.frames * area(shape);

export const toneKernel = defineKernel<ToneShape>({
  name: 'tone',
  summary: "Pillow's operations on tones: levels, colour, sharpness",
  variants: toneVariants,
  cases,
  randomShape: (random) => ({
    frames: 5,
    width: 1 + random.integer(70),
    height: 1 + random.integer(40),
  }),
  inputs: (shape) => ({
    jobs: {
      shape: [shape.frames, TONE_RECORD],
      dtype: 'u32',
      fill: () =>
        Uint32Array.from(
          Array.from({ length: shape.frames }, (_, frame) => {
            const { kind, tables } = OPERATIONS[ofFrame(frame)]!;
            const job: ToneJob = {
              ...{ kind, width: shape.width, height: shape.height, perChannel: tables.length > 1 },
              ...{ source: frame * area(shape), out: total(shape) + frame * area(shape) },
              table: places[ofFrame(frame)]!,
            };
            return toneRecord(job);
          }).flat(),
        ),
    },
    table: { shape: [words.flat().length], dtype: 'u32', fill: () => Uint32Array.from(words.flat()) },
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
  run: (runtime, { width, height }, { jobs, table }, { pixels }) =>
    applyTones(runtime, { pixels: pixels!, jobs: jobs!, table: table!, width, height }),
  reference: (shape, { pixels }) => ({
    pixels: Float64Array.from([
      ...pixels!.subarray(0, total(shape)),
      ...Array.from({ length: shape.frames }, (_, frame) =>
        toneReference(
          pixels!.subarray(frame * area(shape), (frame + 1) * area(shape)),
          shape,
          OPERATIONS[ofFrame(frame)]!,
        ),
      ).flat(),
    ]),
  }),
  cost: ({ frames, width, height }) => toneCost(frames, width, height),
});

import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import { blendTable } from '../tone/tone.js';
import {
  autoContrastShortfalls,
  makeToneTables,
  toneTablesCost,
  TONE_TABLES_RECORD,
  toneTablesRecord,
  toneTablesVariants,
  TONE_TABLES_WORDS,
} from './tone-tables.js';
import { toneTablesReference } from './tone-tables.reference.js';

interface TablesShape {
  /** AutoContrast, Equalize and Contrast in turn. */
  readonly frames: number;
  /** Pixels of a frame. */
  readonly count: number;
  /** Levels that a frame has at most. */
  readonly levels: number;
}

const cases: readonly KernelCase<TablesShape>[] = [
  { name: 'one pixel', kind: 'edge', shape: { frames: 3, count: 1, levels: 256 } },
  { name: 'one level', kind: 'edge', shape: { frames: 3, count: 1000, levels: 1 } },
  { name: 'ranges of a few levels', kind: 'edge', shape: { frames: 60, count: 300, levels: 18 } },
  { name: 'a clip of 160×160', kind: 'model', shape: { frames: 16, count: 160 * 160, levels: 256 } },
];

const KINDS = ['autoContrast', 'equalize', 'contrast'] as const;
const FACTOR = 1.63;
const shortfalls = autoContrastShortfalls();
const blend = blendTable(FACTOR);
const looked = shortfalls.length + blend.length;
const kindOf = (frame: number) => KINDS[frame % KINDS.length]!;

export const toneTablesKernel = defineKernel<TablesShape>({
  name: 'tone-tables',
  summary: 'what levels become by AutoContrast, Equalize and Contrast',
  variants: toneTablesVariants,
  cases,
  randomShape: (random) => ({
    frames: 9,
    count: 1 + random.integer(3000),
    levels: 1 + random.integer(256),
  }),
  inputs: ({ frames, count, levels }) => ({
    pixels: {
      shape: [frames * count],
      dtype: 'u32',
      fill: (random) => {
        // Each frame has its own darkest level.
        const darkest = Array.from({ length: frames }, () => random.integer(257 - levels));
        return Uint32Array.from({ length: frames * count }, (_, i) => {
          const level = () => darkest[Math.floor(i / count)]! + random.integer(levels);
          return level() + 256 * level() + 65536 * level();
        });
      },
    },
    jobs: {
      shape: [frames, TONE_TABLES_RECORD],
      dtype: 'u32',
      fill: () =>
        Uint32Array.from(
          Array.from({ length: frames }, (_, frame) =>
            toneTablesRecord({
              ...{ kind: kindOf(frame), source: frame * count, count },
              ...{ out: looked + frame * TONE_TABLES_WORDS },
              helper: kindOf(frame) === 'contrast' ? shortfalls.length : 0,
            }),
          ).flat(),
        ),
    },
  }),
  outputs: ({ frames }) => ({
    table: {
      shape: [looked + frames * TONE_TABLES_WORDS],
      dtype: 'u32',
      initial: () =>
        Uint32Array.from([...shortfalls, ...blend, ...new Array<number>(frames * TONE_TABLES_WORDS).fill(0)]),
    },
  }),
  run: (runtime, { count }, { pixels, jobs }, { table }) =>
    makeToneTables(runtime, { pixels: pixels!, jobs: jobs!, table: table!, count }),
  reference: ({ frames, count }, { pixels, table }) => ({
    table: Float64Array.from([
      ...table!.subarray(0, looked),
      ...Array.from({ length: frames }, (_, frame) =>
        toneTablesReference(
          pixels!.subarray(frame * count, (frame + 1) * count),
          kindOf(frame),
          FACTOR,
        ).flat(),
      )
        .flat()
        .map((level) => 0xffff0000 + 2 ** 15 + level),
    ]),
  }),
  cost: ({ frames, count }) => toneTablesCost(frames, count),
});

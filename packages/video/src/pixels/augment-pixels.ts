/** RandAugment's operations on pixels, on the GPU. */
import {
  affineRecord,
  applyTones,
  autoContrastShortfalls,
  blendTable,
  levelTable,
  makeToneTables,
  seeThroughMaps,
  toneRecord,
  toneTablesRecord,
  TONE_TABLES_WORDS,
  type GpuArray,
  type Runtime,
  type ToneJob,
} from '@tubelet/kernels';
import { methodOf, type AugmentOperation } from '../transforms/rand-augment.js';
import type { BatchTable } from './batch-table.js';
import { uploadJobs } from './square-pixels.js';

/** Clips of equally many frames of one size, one behind the other. */
export interface ClipShape {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

/** Records of one operation of each clip that has so many. */
interface Pass {
  readonly tables: number[][];
  readonly tones: number[][];
  readonly maps: number[][];
}

/** What is to be run, and where the pixels of each clip are afterwards. */
export interface AugmentPlan {
  readonly passes: readonly Pass[];
  readonly places: readonly number[];
}

/**
 * Plans the operations of clips whose pixels lie one behind the other in the first half of an array. Each operation
 * takes a clip from one half to the other.
 *
 * @param operations of each clip, in their order.
 * @param table gets what they look up.
 */
export function planAugment(
  operations: readonly (readonly AugmentOperation[])[],
  { frames, width, height }: ClipShape,
  table: BatchTable,
): AugmentPlan {
  const half = operations.length * frames * width * height;
  const passes: Pass[] = [];
  const places = operations.map((ofClip, clip) => {
    let place = clip * frames * width * height;
    for (const [number, operation] of ofClip.entries()) {
      const pass = (passes[number] ??= { tables: [], tones: [], maps: [] });
      const out = place < half ? place + half : place - half;
      for (let frame = 0; frame < frames; frame++) {
        const first = frame * width * height;
        planFrame(operation, { source: place + first, out: out + first, width, height }, table, pass);
      }
      place = out;
    }
    return place;
  });
  return { passes, places };
}

function planFrame(
  operation: AugmentOperation,
  job: Pick<ToneJob, 'source' | 'out' | 'width' | 'height'>,
  table: BatchTable,
  { tables, tones, maps }: Pass,
): void {
  const { method, argument } = methodOf(operation);
  const { kind } = method;
  const blend = () => table.add(`blend ${argument}`, () => blendTable(argument));
  if (kind === 'map') {
    const { width, height } = job;
    maps.push(affineRecord({ ...job, matrix: method.matrix(argument, width, height) }));
    return;
  }
  if (kind === 'levels') {
    const make = () => levelTable((level) => method.level(level, argument));
    tones.push(toneRecord({ ...job, kind, table: table.add(`${operation.name} ${argument}`, make) }));
    return;
  }
  if (kind === 'colour' || kind === 'sharpness') {
    tones.push(toneRecord({ ...job, kind, table: blend() }));
    return;
  }
  const made = table.reserve(TONE_TABLES_WORDS);
  const helper =
    kind === 'contrast' ? blend() : kind === 'autoContrast' ? table.add(kind, autoContrastShortfalls) : 0;
  const { source, width, height } = job;
  tables.push(toneTablesRecord({ kind, source, count: width * height, out: made, helper }));
  tones.push(toneRecord({ ...job, kind: 'levels', table: made, perChannel: true }));
}

/** Runs what is planned. */
export function runAugment(
  runtime: Runtime,
  { passes }: AugmentPlan,
  pixels: GpuArray,
  { width, height }: ClipShape,
  table: GpuArray,
): void {
  const jobs = (records: number[][]) => uploadJobs(runtime, records);
  for (const { tables, tones, maps } of passes) {
    if (tables.length > 0) {
      makeToneTables(runtime, { pixels, jobs: jobs(tables), table, count: width * height });
    }
    if (tones.length > 0) applyTones(runtime, { pixels, jobs: jobs(tones), table, width, height });
    if (maps.length > 0) seeThroughMaps(runtime, { pixels, jobs: jobs(maps), width, height });
  }
}

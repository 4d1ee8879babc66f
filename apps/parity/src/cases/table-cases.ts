import { cosineSchedule, type Engine } from '@tubelet/autograd';
import {
  maskFromBooleans,
  reconstructionTargetsFromVideo,
  windowMaskCounts,
  type WindowMaskCounts,
} from '@tubelet/kernels';
import { sinusoidTable } from '@tubelet/mae-dfer';
import {
  GoldenFolderError,
  numbersField,
  objectField,
  type GoldenFolder,
  type GoldenTensor,
  type Json,
} from '../golden-folder.js';
import { proceduralVideo } from '@tubelet/kernels/lab';
import type { Report } from '../report.js';

// How each variant of the targets is made; the shipped recipe is norm_diff2.
const TARGET_VARIANTS: Readonly<Record<string, { normalize: boolean; frameDifferenceGroup: number }>> = {
  norm_diff2: { normalize: true, frameDifferenceGroup: 2 },
  norm_plain: { normalize: true, frameDifferenceGroup: 1 },
  raw_diff2: { normalize: false, frameDifferenceGroup: 2 },
  raw_plain: { normalize: false, frameDifferenceGroup: 1 },
  norm_diff4: { normalize: true, frameDifferenceGroup: 4 },
};

/** Reconstruction targets of every cube of a clip. */
export async function targetsCase(engine: Engine, folder: GoldenFolder, report: Report): Promise<void> {
  const io = folder.tensors('targets');
  if (!io) throw new GoldenFolderError('targets.safetensors is missing');
  const { runtime } = engine;
  for (const [key, { data, shape }] of io) {
    if (!key.startsWith('target.')) continue;
    const variant = TARGET_VARIANTS[key.slice('target.'.length)];
    if (!variant) {
      report.omit(`targets ${key} (unknown kind of target)`);
      continue;
    }
    const videoShape = io.get('video')?.shape ?? [1, 3, 16, 32, 32];
    const values = io.get('video')?.data ?? proceduralVideo('targets.video', videoShape as never);
    await engine.step(async () => {
      const [batch, tokens] = shape as [number, number, number];
      const video = runtime.upload(values, videoShape);
      const indices = Uint32Array.from({ length: batch * tokens }, (_, i) => i % tokens);
      const masked = runtime.upload(indices, [batch, tokens]);
      const out = runtime.empty(shape);
      reconstructionTargetsFromVideo(runtime, { video, masked, out, tubeletSize: 2, patch: 16, ...variant });
      report.compare('targets', key, 'forward', await runtime.read(out), data);
    });
  }
}

/** Sinusoid tables, learning-rate schedules, and the counts of masks. */
export function tablesCase(folder: GoldenFolder, testCase: Json, report: Report): void {
  const io = folder.tensors('tables');
  if (!io) throw new GoldenFolderError('tables.safetensors is missing');
  for (const [key, tensor] of io) {
    const position = /^pos_(\d+)_(\d+)(_rows)?$/.exec(key);
    if (position) {
      const [count, dim] = [Number(position[1]), Number(position[2])];
      const rows = position[3] ? numbersField(testCase, 'pos_rows', 'tables') : undefined;
      report.compare('tables', key, 'forward', positionRows(count, dim, rows), tensor.data);
    } else if (key.startsWith('schedule.')) {
      compareSchedule(key.slice('schedule.'.length), tensor, testCase, report);
    } else if (key.startsWith('mask.')) {
      compareMaskCounts(key, tensor, report);
    } else {
      report.omit(`tables ${key} (unknown kind of table)`);
    }
  }
}

function positionRows(count: number, dim: number, rows: readonly number[] | undefined): Float32Array {
  const table = sinusoidTable(count, dim);
  if (!rows) return table;
  const chosen = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => chosen.set(table.subarray(row * dim, (row + 1) * dim), i * dim));
  return chosen;
}

// The manifest describes a schedule as the call that made it:
// name(base, final, epochs, steps per epoch, warmup_epochs=…[, warmup_steps=…]), names optional.
function compareSchedule(name: string, { data }: GoldenTensor, testCase: Json, report: Report): void {
  const call = objectField(testCase, 'schedules', 'tables')[name];
  const inside = typeof call === 'string' ? /\((.*)\)/.exec(call)?.[1] : undefined;
  if (inside === undefined) throw new GoldenFolderError(`tables: schedule "${name}" is not described`);
  const values = inside.split(',').map((part) => part.trim().split('='));
  const [peak, minimum, epochs, stepsPerEpoch] = values.slice(0, 4).map((part) => Number(part.at(-1)));
  const named = new Map(
    values.filter((part) => part.length === 2).map(([key, value]) => [key, Number(value)]),
  );
  const schedule = cosineSchedule({
    peak: peak!,
    minimum: minimum!,
    epochs: epochs!,
    stepsPerEpoch: stepsPerEpoch!,
    warmupEpochs: named.get('warmup_epochs') ?? 0,
    warmupSteps: named.get('warmup_steps'),
  });
  const computed = Float64Array.from({ length: data.length }, (_, step) => schedule.at(step));
  report.compare('tables', `schedule.${name}`, 'forward', computed, data);
}

// Masks are drawn by another random generator there: only how many tokens are visible, in all and in each region,
// can agree. A name is mask.<region>_<ratio> or mask.tube_<ratio>; the grid has eight temporal slots.
function compareMaskCounts(key: string, { shape, data }: GoldenTensor, report: Report): void {
  const [, kind, ratio] = /^mask\.(\w+)_([\d.]+)$/.exec(key) ?? [];
  const side = Math.sqrt(shape[1]! / 8);
  const grid = [8, side, side] as const;
  const extents = kind?.split('x').map(Number) as [number, number, number];
  const design =
    kind === 'tube'
      ? ({ kind, grid, maskRatio: Number(ratio) } as const)
      : { grid, maskRatio: Number(ratio), region: extents };
  const counts = windowMaskCounts(design);
  const stored = maskFromBooleans(Uint8Array.from(data), grid, counts.region).counts;
  const numbers = ({ regions, visiblePerRegion, visibleCount, maskedCount }: WindowMaskCounts) => [
    regions,
    visiblePerRegion,
    visibleCount,
    maskedCount,
  ];
  report.compare('tables', `${key}, counts`, 'exact', numbers(counts), numbers(stored));
}

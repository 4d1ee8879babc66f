import { cosineSchedule, type Engine } from '@tubelet/autograd';
import { reconstructionTargetsFromVideo } from '@tubelet/kernels';
import { sinusoidTable } from '@tubelet/mae-dfer';
import {
  GoldenFolderError,
  numbersField,
  objectField,
  type GoldenFolder,
  type GoldenTensor,
  type Json,
} from '../golden-folder.js';
import { proceduralVideo } from '../procedural.js';
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

/** Sinusoid tables and learning-rate schedules. */
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
    } else {
      report.omit(
        `tables ${key} (drawn by another random generator; its counts are tested with the mask kernel)`,
      );
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

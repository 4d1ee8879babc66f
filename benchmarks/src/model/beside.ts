import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../shared/program.js';
import { textTable } from '@tubelet/trainer/formats';
import { runInTurns } from '../shared/turns.js';
import type { PhaseMeasurement } from './measure-model.js';
import type { ModelRow } from './report.js';

/** A part of a step here and in another checkout. */
export interface Comparison extends Pick<ModelRow, 'model' | 'task' | 'batchSize'> {
  readonly here: PhaseMeasurement;
  readonly there: PhaseMeasurement;
}

/**
 * Measures steps of this checkout in turn with those of the one in `folder`, each in a process of its own, and gives
 * the parts of steps that both measured. `args` are the options of `bench:model` for both.
 *
 * @throws UsageError where the folder holds no built benchmark
 */
export async function measureBeside(folder: string, args: readonly string[]): Promise<Comparison[]> {
  const there = join(folder, 'benchmarks', 'dist', 'model.js');
  if (!existsSync(there))
    throw new UsageError(
      `--beside: there is no ${there}; check out a commit there, then \`npm ci && npm run build\``,
    );
  const here = fileURLToPath(new URL('./model.js', import.meta.url));
  const results = await mkdtemp(join(tmpdir(), 'tubelet-beside-'));
  try {
    const files = ['here.json', 'there.json'].map((name) => join(results, name));
    await runInTurns([here, there].map((file, i) => ({ file, args: [...args, '--json', files[i]!] })));
    const [ours, theirs] = await Promise.all(files.map(readRows));
    return compareRows(ours!, theirs!);
  } finally {
    await rm(results, { recursive: true });
  }
}

async function readRows(file: string): Promise<readonly ModelRow[]> {
  const { rows } = JSON.parse(await readFile(file, 'utf8')) as { readonly rows: readonly ModelRow[] };
  return rows;
}

/** Pairs what both measured. */
export function compareRows(here: readonly ModelRow[], there: readonly ModelRow[]): Comparison[] {
  return here.flatMap(({ model, task, batchSize, phases }) => {
    const other = there.find(
      (row) => row.model === model && row.task === task && row.batchSize === batchSize,
    );
    return phases.flatMap((part) => {
      const same = other?.phases.find(({ phase }) => phase === part.phase);
      return same ? [{ model, task, batchSize, here: part, there: same }] : [];
    });
  });
}

/** Time, dispatches, bytes and memory here over those there. */
export function formatComparisons(comparisons: readonly Comparison[]): string {
  const headings = ['model', 'task', 'clips', 'part', 's/step there', 'here', 'here / there'];
  const counts = ['dispatches', 'GB moved', 'peak MB'];
  const cells = comparisons.map(({ model, task, batchSize, here, there }) => [
    ...[model, task, String(batchSize), here.phase],
    ...[there.seconds.toFixed(3), here.seconds.toFixed(3), `${(here.seconds / there.seconds).toFixed(3)}×`],
    `${there.dispatches} → ${here.dispatches}`,
    `${(there.bytes / 1e9).toFixed(3)} → ${(here.bytes / 1e9).toFixed(3)}`,
    `${(there.peakBytes / 1e6).toFixed(0)} → ${(here.peakBytes / 1e6).toFixed(0)}`,
  ]);
  return textTable([[...headings, ...counts], ...cells], new Set([2, 4, 5, 6, 7, 8, 9]));
}

import type { Precision, Runtime } from '@tubelet/kernels';
import { openNodeRuntime } from '@tubelet/kernels/node';
import { halfVariants, useHalfPrecision } from '@tubelet/kernels/tuning';
import { median } from '../kernels/batch-timer.js';
import { ModelSteps } from '../model/measure-trainer.js';
import type { ModelRun } from '../model/workload.js';
import type { Part } from './budget.js';
import type { Ablation } from './report.js';

// Not Dawn's toggles, but this engine's own. Every kernel has a dispatch of its own: see `Runtime.together`.
const ONE_KERNEL_A_DISPATCH = 'one kernel a dispatch';
/** How products on matrix units could copy their operands instead, by the variants that do. */
const productVariants: Readonly<Record<string, string>> = {
  'products without prefetch': 'matrix-units-no-prefetch',
  'products copied by four': 'matrix-units-quads',
};
const own = [ONE_KERNEL_A_DISPATCH, ...Object.keys(productVariants)];

/** Toggles of Dawn that other engines set and this one does not. */
const dawns = ['disable_workgroup_init', 'disable_polyfills_on_integer_div_and_mod'];

type ToggleSets = readonly (readonly string[])[];
/** This engine's own toggles, and Dawn's together. */
export const fewToggleSets: ToggleSets = [[], ...own.map((toggle) => [toggle]), dawns];
/** Dawn's alone too. */
export const toggleSets: ToggleSets = [...fewToggleSets, ...dawns.map((toggle) => [toggle])];

/** Sets the engine's own toggles; gives why it could not. */
function set(toggles: readonly string[], runtime: Runtime): string | undefined {
  if (toggles.includes(ONE_KERNEL_A_DISPATCH)) runtime.joinsKernels = false;
  for (const toggle of toggles) {
    const wanted = productVariants[toggle];
    if (wanted === undefined) continue;
    const variants = halfVariants(runtime).filter(({ kernel }) => kernel === 'matmul');
    if (!variants.some(({ variant }) => variant === wanted)) return 'no products are on matrix units here';
    runtime.forcedVariants.set('matmul', wanted);
  }
  return undefined;
}

interface AblationTurns {
  readonly rounds: number;
  /** Of a turn. */
  readonly steps: number;
}

/** Measures a step under each set of toggles, none first, in turn; all models are in memory at once. */
export async function measureToggles(
  run: ModelRun,
  precision: Precision,
  sets: ToggleSets,
  { rounds, steps }: AblationTurns,
  part: Part,
): Promise<Ablation[]> {
  const opened: { toggles: readonly string[]; runtime: Runtime; model: ModelSteps; turns: number[] }[] = [];
  try {
    for (const toggles of sets) {
      if (!part.allows(toggles.join(' ') || 'no toggles')) continue;
      console.error(`toggles: ${toggles.join(', ') || 'none'} …`);
      const dawn = toggles.filter((toggle) => dawns.includes(toggle));
      const flags = dawn.length > 0 ? [`enable-dawn-features=${dawn.join(',')}`] : [];
      const runtime = await openNodeRuntime({ flags, matrixUnits: precision === 'f16' });
      if (precision === 'f16') await useHalfPrecision(runtime);
      const obstacle = set(toggles, runtime);
      if (obstacle !== undefined) {
        part.leaveOut(toggles.join(' '), obstacle);
        runtime.destroy();
        continue;
      }
      const model = new ModelSteps(runtime, run);
      opened.push({ toggles, runtime, model, turns: [] });
      await model.warmUp();
    }
    for (let round = 0; round < rounds; round++) {
      for (const { model, turns } of opened) turns.push(median(await model.takeAsRun(steps)));
    }
    const none = opened[0]?.turns ?? [];
    return opened.map(({ toggles, turns }) => {
      const overNone = median(turns.map((seconds, i) => seconds / none[i]!));
      return { toggles, precision, seconds: median(turns), overNone };
    });
  } finally {
    for (const { model, runtime } of opened) {
      await model.release();
      runtime.destroy();
    }
  }
}

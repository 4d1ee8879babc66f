import type { Precision, Runtime } from '@tubelet/kernels';
import { openNodeRuntime } from '@tubelet/kernels/node';
import { useHalfPrecision } from '@tubelet/kernels/tuning';
import { median } from '../kernels/batch-timer.js';
import { FIRST_WARM_UP_STEPS, ModelSteps, WARM_UP_STEPS } from '../model/measure-trainer.js';
import type { ModelRun } from '../model/workload.js';
import type { Part } from './budget.js';
import type { Ablation } from './report.js';

/** Not one of Dawn's: every kernel has a dispatch of its own; see `Runtime.together`. */
const ONE_KERNEL_A_DISPATCH = 'one kernel a dispatch';

/** Dawn's toggles that other engines set and this one does not, alone and together; and what this one does of its own. */
export const toggleSets: readonly (readonly string[])[] = [
  [],
  [ONE_KERNEL_A_DISPATCH],
  ['disable_workgroup_init'],
  ['disable_polyfills_on_integer_div_and_mod'],
  ['disable_workgroup_init', 'disable_polyfills_on_integer_div_and_mod'],
];

/**
 * Measures a step under each set of toggles, in turn; all models are in memory at once.
 *
 * @param steps of a turn
 */
export async function measureToggles(
  run: ModelRun,
  precision: Precision,
  { rounds, steps }: { readonly rounds: number; readonly steps: number },
  part: Part,
): Promise<Ablation[]> {
  const opened: { toggles: readonly string[]; runtime: Runtime; model: ModelSteps; turns: number[] }[] = [];
  try {
    for (const toggles of toggleSets) {
      if (!part.allows(toggles.join(' ') || 'no toggles')) continue;
      console.error(`toggles: ${toggles.join(', ') || 'none'} …`);
      const dawn = toggles.filter((toggle) => toggle !== ONE_KERNEL_A_DISPATCH);
      const flags = dawn.length > 0 ? [`enable-dawn-features=${dawn.join(',')}`] : [];
      const runtime = await openNodeRuntime({ flags, matrixUnits: precision === 'f16' });
      if (toggles.length > dawn.length) runtime.joinsKernels = false;
      if (precision === 'f16') await useHalfPrecision(runtime);
      const model = new ModelSteps(runtime, run);
      opened.push({ toggles, runtime, model, turns: [] });
      await model.takeAsRun(FIRST_WARM_UP_STEPS, 1);
    }
    for (let round = 0; round < rounds; round++) {
      for (const { model, turns } of opened) turns.push(median(await model.takeAsRun(WARM_UP_STEPS, steps)));
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

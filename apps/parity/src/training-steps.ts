import { AdamW, type ParameterGroup, type ParameterStore } from '@tubelet/autograd';
import {
  GoldenFolderError,
  numbersField,
  objectField,
  type GoldenTensors,
  type Json,
} from './golden-folder.js';
import { proceduralParameter } from '@tubelet/kernels/catalogue';
import { BOUNDS, type Report } from './report.js';

/** Loads stored weights where the folder has them, else the procedural ones of the same names. */
export function loadWeights(store: ParameterStore, stored: GoldenTensors | undefined): void {
  for (const [name, parameter] of store.parameters) {
    const given = stored?.get(name);
    if (stored && !given) throw new GoldenFolderError(`the stored weights have no "${name}"`);
    if (given && given.data.length !== parameter.array.size) {
      throw new GoldenFolderError(
        `stored weight "${name}" is [${given.shape.join(', ')}], the model's is ${parameter}`,
      );
    }
    parameter.write(given?.data ?? proceduralParameter(name, parameter.shape));
  }
}

/** The groups of parameters that a case's optimiser has. */
export function goldenGroups(testCase: Json, where: string): ParameterGroup[] {
  const { groups } = objectField(testCase, 'optimizer', where);
  if (!Array.isArray(groups)) throw new GoldenFolderError(`${where}: optimizer.groups is not a list`);
  return groups.map((group: Json) => ({
    parameters: group['params'] as string[],
    weightDecay: Number(group['weight_decay']),
    learningRateScale: Number(group['lr_scale'] ?? 1),
  }));
}

/** The optimiser that a case describes, and its learning rate at each step. */
export function goldenOptimiser(store: ParameterStore, testCase: Json, where: string) {
  const settings = objectField(testCase, 'optimizer', where);
  const optimiser = new AdamW(store, {
    betas: numbersField(settings, 'betas', where) as [number, number],
    epsilon: typeof settings['eps'] === 'number' ? settings['eps'] : 1e-8,
    groups: goldenGroups(testCase, where),
  });
  return { optimiser, learningRates: numbersField(settings, 'lr_per_step', where) };
}

/** Compares the gradients of all parameters named in `expected` (keys may start with `grad.`). */
export async function compareGradients(
  report: Report,
  group: string,
  label: string,
  store: ParameterStore,
  expected: GoldenTensors,
): Promise<void> {
  for (const [key, tensor] of expected) {
    const name = key.replace(/^grad\./, '');
    const parameter = store.parameters.get(name);
    if (!parameter) continue;
    const actual = parameter.hasGradient
      ? await store.engine.runtime.read(parameter.gradient)
      : new Float32Array(parameter.array.size);
    report.compare(group, `${label}: ${name}`, 'gradient', actual, tensor.data);
  }
}

/** Compares the norms of gradients, where a case gives only these: {name: [‖g‖₂, Σg]}. */
export async function compareGradientNorms(
  report: Report,
  group: string,
  store: ParameterStore,
  expected: Json,
): Promise<void> {
  for (const [name, values] of Object.entries(expected)) {
    const parameter = store.get(name);
    const gradient = parameter.hasGradient
      ? await store.engine.runtime.read(parameter.gradient)
      : new Float32Array(parameter.array.size);
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    report.compareScalar(group, `gradient size: ${name}`, 'gradient', norm, (values as number[])[0]!);
  }
}

/** What steps of AdamW have done up to a comparison of parameters. */
export interface StepsDone {
  /** Reference gradients of the first step (keys may start with `grad.`); without them all elements are decided. */
  readonly gradients: GoldenTensors | undefined;
  /** Of each step done. */
  readonly learningRates: readonly number[];
}

// |m̂| / √v̂ of AdamW in its first steps is at most 1, but for rounding and the decay of moments.
const LARGEST_STEP = 1.05;

/**
 * Compares all parameters named in `expected` with the store. AdamW divides a gradient by its own size: where the
 * reference gradient of an element is no larger than the bound on the error of its tensor's gradient, rounding decides
 * which way the element goes. Such elements are held to the distance that two opposite ways can be apart.
 */
export async function compareParameters(
  report: Report,
  group: string,
  step: number,
  store: ParameterStore,
  expected: GoldenTensors,
  { gradients, learningRates }: StepsDone,
): Promise<void> {
  const farthest = 2 * LARGEST_STEP * learningRates.reduce((sum, rate) => sum + rate, 0);
  for (const [name, tensor] of expected) {
    const actual = await store.get(name).read();
    const gradient = (gradients?.get(name) ?? gradients?.get(`grad.${name}`))?.data;
    const noise = gradient && BOUNDS.gradient * Math.hypot(...gradient);
    const isDecided = (_: number, i: number) => !gradient || Math.abs(gradient[i]!) > noise!;
    report.compare(
      group,
      `parameter after step ${step}: ${name}`,
      'parameter',
      actual.filter(isDecided),
      tensor.data.filter(isDecided),
    );
    const undecided = Array.from(actual, (value, i) => Math.abs(value - tensor.data[i]!)).filter(
      (_, i) => !isDecided(0, i),
    );
    if (undecided.length === 0) continue;
    const label = `undecided after step ${step}: ${name}`;
    report.compareDifference(group, label, 'parameter', Math.max(...undecided), farthest);
  }
}

/** The global gradient norm, from the kernel that training uses. */
export async function gradientNorm(optimiser: AdamW): Promise<number> {
  return (await optimiser.store.engine.runtime.read(optimiser.gradientNorm()))[0]!;
}

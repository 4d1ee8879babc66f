import { AdamW, type ParameterStore } from '@tubelet/autograd';
import {
  GoldenFolderError,
  type GoldenFolder,
  numbersField,
  objectField,
  type GoldenTensors,
  type Json,
} from './golden-folder.js';
import { proceduralParameter } from '@tubelet/kernels/lab';
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
export function goldenGroups(store: ParameterStore, testCase: Json, where: string) {
  const { groups } = objectField(testCase, 'optimizer', where);
  if (!Array.isArray(groups)) throw new GoldenFolderError(`${where}: optimizer.groups is not a list`);
  return groups.map((group: Json) => ({
    parameters: (group['params'] as string[]).map((name) => store.get(name)),
    weightDecay: Number(group['weight_decay']),
    learningRateScale: Number(group['lr_scale'] ?? 1),
  }));
}

/** The optimiser that a case describes, and its learning rate at each step; reports whether it decays what we do. */
export function goldenOptimiser(store: ParameterStore, testCase: Json, where: string, report: Report) {
  const settings = objectField(testCase, 'optimizer', where);
  const groups = goldenGroups(store, testCase, where);
  const weightDecay = Math.max(...groups.map((group) => group.weightDecay));
  const decays = groups.flatMap((group) => group.parameters.map((one) => [one, group.weightDecay] as const));
  report.compare(
    where,
    'weight decays',
    'exact',
    decays.map(([parameter]) => (parameter.decays ? weightDecay : 0)),
    decays.map(([, decay]) => decay),
  );
  const optimiser = new AdamW(store, {
    betas: numbersField(settings, 'betas', where) as [number, number],
    epsilon: typeof settings['eps'] === 'number' ? settings['eps'] : 1e-8,
    groups,
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

// |m̂| / √v̂ of AdamW in its first steps is at most 1, but for rounding and the decay of moments.
const LARGEST_STEP = 1.05;

/**
 * Compares the parameters after so many steps of AdamW with those that the folder has, if it has any. AdamW divides a
 * gradient by its own size: where the reference gradient of the first step is no larger than the bound on the error of
 * its tensor's gradient, and not exactly zero, rounding decides which way the element goes. Such elements are held to
 * the distance that two opposite ways can be apart.
 */
export async function compareParameters(
  report: Report,
  folder: Pick<GoldenFolder, 'tensors'>,
  name: string,
  store: ParameterStore,
  learningRates: readonly number[],
): Promise<void> {
  const step = learningRates.length;
  const gradients = folder.tensors(`${name}.grads`);
  const farthest = 2 * LARGEST_STEP * learningRates.reduce((sum, rate) => sum + rate, 0);
  for (const [key, { data: expected }] of folder.tensors(`${name}.step${step}`) ?? []) {
    const actual = await store.get(key).read();
    const gradient = gradients?.get(key)?.data ?? gradients?.get(`grad.${key}`)?.data;
    const noise = gradient ? BOUNDS.gradient * Math.hypot(...gradient) : 0;
    const isUndecided = (_: number, i: number) => {
      const size = Math.abs(gradient?.[i] ?? 0);
      return size > 0 && size <= noise;
    };
    const isDecided = (value: number, i: number) => !isUndecided(value, i);
    const decided = [actual.filter(isDecided), expected.filter(isDecided)] as const;
    report.compare(name, `parameter after step ${step}: ${key}`, 'parameter', ...decided);
    const differences = actual.map((value, i) => Math.abs(value - expected[i]!)).filter(isUndecided);
    if (differences.length === 0) continue;
    const label = `undecided after step ${step}: ${key}`;
    report.compareDifference(name, label, 'parameter', Math.max(...differences), farthest);
  }
}

/** The global gradient norm, from the kernel that training uses. */
export async function gradientNorm(optimiser: AdamW): Promise<number> {
  return (await optimiser.store.engine.runtime.read(optimiser.gradientNorm()))[0]!;
}

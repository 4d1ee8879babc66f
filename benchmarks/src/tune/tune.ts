import type { Runtime } from '@tubelet/kernels';
import {
  distinctVariants,
  hasHalves,
  type KernelCase,
  type KernelSpec,
  type ShapeClass,
  shapeClassOfCase,
  shapeClassParts,
  type TunableKernel,
} from '@tubelet/kernels/lab';
import type { TuningChoice } from '@tubelet/kernels/tuning';
import { measureCase, type Measurement, type MeasureOptions } from '../kernels/measure-case.js';
import { compareVariants, fasterVariant, type Comparison } from './choose.js';

export interface TuneOptions extends Pick<MeasureOptions, 'rounds' | 'batchMs' | 'referenceMacs'> {
  /** Numbers of clips of a step for which kernels are measured. */
  readonly clips: readonly number[];
  /** Told before each case is measured. */
  readonly onCase?: (kernel: string, name: string) => void;
}

/** What was measured for one kernel and one class of shapes. */
export interface TunedClass {
  readonly kernel: string;
  readonly shape: ShapeClass;
  readonly extents: readonly number[];
  readonly form: number;
  readonly cases: readonly string[];
  readonly shipped: string;
  /** Median of the shipped variant, over the cases together. */
  readonly shippedSeconds: number;
  readonly comparisons: readonly Comparison[];
  /** Variants whose results were not right, the shipped one included. */
  readonly wrong: readonly string[];
  /** The shipped variant, or one that was faster by more than the noise. */
  readonly chosen: string;
}

// A variant that is so much slower is not worth further seconds.
const GIVE_UP_ABOVE = 2;

/**
 * Measures all variants of the kernels at the models' shapes and chooses one for each class of shapes. Variants that are
 * the same program for a class are measured once.
 */
export async function tuneKernels(
  runtime: Runtime,
  kernels: readonly TunableKernel[],
  options: TuneOptions,
): Promise<TunedClass[]> {
  const tuned: TunedClass[] = [];
  for (const kernel of kernels) {
    for (const [shape, cases] of casesByClass(runtime, kernel.spec, options.clips)) {
      tuned.push(await tuneClass(runtime, kernel, shape, cases, options));
      runtime.pool.trim();
    }
  }
  return tuned;
}

/** The choices of a table, from what was measured. */
export function choicesOf(tuned: readonly TunedClass[]): TuningChoice[] {
  return tuned.map(({ kernel, shape, chosen }) => ({ kernel, shape, variant: chosen }));
}

function casesByClass(
  runtime: Runtime,
  spec: KernelSpec,
  clips: readonly number[],
): Map<ShapeClass, KernelCase<unknown>[]> {
  const classes = new Map<ShapeClass, KernelCase<unknown>[]>();
  // Classes do not tell f16 from f32.
  const inF32 = spec.cases.filter(({ kind, shape }) => kind === 'model' && !hasHalves(spec, shape));
  for (const testCase of inF32) {
    for (const count of spec.withClips ? clips : [1]) {
      const shape = spec.withClips?.(testCase.shape, count) ?? testCase.shape;
      const name = count === 1 ? testCase.name : `${testCase.name}, ${count} clips`;
      const shapeClass = shapeClassOfCase(runtime, spec, shape);
      if (shapeClass === undefined) throw new Error(`kernel ${spec.name} asks for no class of shapes`);
      classes.set(shapeClass, [...(classes.get(shapeClass) ?? []), { name, kind: 'model', shape }]);
    }
  }
  return classes;
}

async function tuneClass(
  runtime: Runtime,
  kernel: TunableKernel,
  shape: ShapeClass,
  cases: readonly KernelCase<unknown>[],
  options: TuneOptions,
): Promise<TunedClass> {
  const { spec } = kernel;
  const variants = distinctVariants(
    runtime,
    kernel,
    cases.map((testCase) => testCase.shape),
  );
  const measured: Measurement[][] = [];
  for (const testCase of cases) {
    options.onCase?.(spec.name, testCase.name);
    measured.push(
      await measureCase(runtime, spec, testCase, { ...options, variants, giveUpAbove: GIVE_UP_ABOVE }),
    );
  }
  const comparisons = compareVariants(measured);
  const shipped = variants[0]!.name;
  return {
    kernel: spec.name,
    shape,
    ...shapeClassParts(shape),
    cases: cases.map(({ name }) => name),
    shipped,
    shippedSeconds: measured.reduce((sum, [first]) => sum + first!.seconds, 0),
    comparisons,
    wrong: variants
      .map(({ name }) => name)
      .filter((name) => measured.flat().some(({ variant, check }) => variant === name && !check.passed)),
    chosen: fasterVariant(comparisons)?.variant ?? shipped,
  };
}

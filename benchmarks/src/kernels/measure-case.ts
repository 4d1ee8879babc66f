import {
  runnableVariants,
  type ArraySpec,
  type Cost,
  type GpuArray,
  type HostData,
  type KernelCase,
  type KernelSpec,
  type Runtime,
  type Variant,
} from '@tubelet/kernels';
import { makeHostData, scaledError, testRandom, toFloat64 } from '@tubelet/kernels/catalogue';
import { calibrate, median, timeBatch, timingMethod } from './batch-timer.js';
import { raiseClocks } from './roofline.js';

export interface MeasureOptions {
  /** Interleaved batches a variant; their median counts. */
  readonly rounds: number;
  /** About how long one batch lasts. */
  readonly batchMs: number;
  /** The float64 reference is computed up to this many multiply–accumulates. */
  readonly referenceMacs: number;
  /** Which variants; default: all that the adapter can run. */
  readonly variants?: readonly Variant[];
  /** A variant but the first that takes this many times the best one's time in the first batch gets no other. */
  readonly giveUpAbove?: number;
}

/** Against what a result was checked, and how far off it is in units of the larger of 1 and max |expected|. */
export interface NumericCheck {
  /** `float64`, the name of another variant, or `none` where there was nothing to compare with. */
  readonly against: string;
  readonly error: number;
  readonly tolerance: number;
  readonly passed: boolean;
}

/** One variant of a kernel on one case. */
export interface Measurement {
  readonly kernel: string;
  readonly case: string;
  readonly variant: string;
  /** Median of the batches. */
  readonly seconds: number;
  /** Of every batch, in order: the n-th ones of two variants were taken one after the other. */
  readonly batchSeconds: readonly number[];
  readonly repetitions: number;
  readonly cost: Cost;
  readonly check: NumericCheck;
}

type HostArrays = Readonly<Record<string, HostData>>;
type Specs = Readonly<Record<string, ArraySpec>>;

interface Candidate {
  readonly name: string;
  readonly run: () => void;
  readonly check: NumericCheck;
  readonly seconds: number[];
  readonly repetitions: number;
}

/** Checks and times every variant that the adapter can run on one case, all variants in turn in every round. */
export async function measureCase(
  runtime: Runtime,
  spec: KernelSpec,
  testCase: KernelCase<unknown>,
  options: MeasureOptions,
): Promise<Measurement[]> {
  const { shape } = testCase;
  const cost = spec.cost(shape);
  const random = testRandom(1);
  const inputs = makeHostData(spec.inputs(shape), random);
  const outputSpecs = spec.outputs(shape);
  const initials = makeHostData(
    Object.fromEntries(Object.entries(outputSpecs).filter(([, output]) => output.initial)),
    random,
  );
  const isAffordable = cost.macs <= options.referenceMacs;
  let expected:
    { readonly against: string; readonly arrays: Readonly<Record<string, ArrayLike<number>>> } | undefined =
    isAffordable
      ? {
          against: 'float64',
          arrays: spec.reference(shape, { ...toFloat64(inputs), ...toFloat64(initials) }),
        }
      : undefined;
  const method = timingMethod(runtime);
  return runtime.scope(async () => {
    const inputArrays = makeArrays(runtime, spec.inputs(shape), inputs);
    const candidates: Candidate[] = [];
    try {
      for (const { name } of options.variants ?? runnableVariants(runtime, spec.variants)) {
        const outputs = makeArrays(runtime, outputSpecs, initials);
        const run = () => {
          runtime.forcedVariants.set(spec.name, name);
          spec.run(runtime, shape, inputArrays, outputs);
        };
        run();
        const actual = await readArrays(runtime, outputs);
        const check = compare(spec, outputSpecs, actual, expected);
        expected ??= { against: name, arrays: actual };
        const repetitions = await calibrate(runtime, run, options.batchMs);
        candidates.push({ name, run, check, seconds: [], repetitions });
      }
      await raiseClocks(runtime);
      let inPlay = candidates;
      for (let round = 0; round < options.rounds; round++) {
        for (const { run, repetitions, seconds } of inPlay) {
          seconds.push(await timeBatch(runtime, method, run, repetitions));
        }
        if (round === 0) inPlay = worthwhile(candidates, options.giveUpAbove ?? Infinity);
      }
    } finally {
      runtime.forcedVariants.delete(spec.name);
    }
    return candidates.map(({ name, check, seconds, repetitions }) => ({
      kernel: spec.name,
      case: testCase.name,
      variant: name,
      seconds: median(seconds),
      batchSeconds: seconds,
      repetitions,
      cost,
      check,
    }));
  });
}

function worthwhile(candidates: readonly Candidate[], giveUpAbove: number): Candidate[] {
  const best = Math.min(...candidates.map(({ seconds }) => seconds[0]!));
  return candidates.filter(({ seconds }, i) => i === 0 || seconds[0]! <= giveUpAbove * best);
}

function makeArrays(runtime: Runtime, specs: Specs, data: HostArrays): Record<string, GpuArray> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape, dtype = 'f32' }]) => {
      const host = data[name];
      return [name, host ? runtime.upload(host, shape, dtype, name) : runtime.empty(shape, dtype, name)];
    }),
  );
}

async function readArrays(
  runtime: Runtime,
  arrays: Readonly<Record<string, GpuArray>>,
): Promise<Record<string, HostData>> {
  const result: Record<string, HostData> = {};
  for (const [name, array] of Object.entries(arrays)) {
    const bytes = await runtime.readBytes(array);
    if (array.dtype === 'u32') result[name] = new Uint32Array(bytes);
    else if (array.dtype === 'i32') result[name] = new Int32Array(bytes);
    else if (array.dtype === 'u8') result[name] = new Uint8Array(bytes);
    else result[name] = new Float32Array(bytes);
  }
  return result;
}

function compare(
  spec: KernelSpec,
  outputs: Specs,
  actual: HostArrays,
  expected:
    { readonly against: string; readonly arrays: Readonly<Record<string, ArrayLike<number>>> } | undefined,
): NumericCheck {
  const tolerance = spec.tolerance ?? 1e-5;
  if (!expected) return { against: 'none', error: 0, tolerance, passed: true };
  const { against, arrays } = expected;
  // Two variants may each be off by the tolerance, in opposite directions.
  const allowed = against === 'float64' ? tolerance : 2 * tolerance;
  let error = 0;
  let passed = true;
  for (const [name, { dtype = 'f32' }] of Object.entries(outputs)) {
    const difference = scaledError(actual[name]!, arrays[name]!);
    error = Math.max(error, difference);
    passed &&= difference <= (dtype === 'f32' ? allowed : 0);
  }
  return { against, error, tolerance: allowed, passed };
}

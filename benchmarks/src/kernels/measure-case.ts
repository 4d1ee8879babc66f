import { Arena, type Cost, type Runtime, type Variant } from '@tubelet/kernels';
import { type KernelCase, type KernelSpec, runnableVariants, selectVariant } from '@tubelet/kernels/lab';
import { calibrate, median, timeBatch, timingMethod } from './batch-timer.js';
import {
  ExpectedResults,
  hostDataOf,
  makeArrays,
  readArrays,
  type NumericCheck,
} from './expected-results.js';
import { takeTurn } from '../shared/turns.js';
import { raiseClocks } from './roofline.js';

export type { NumericCheck } from './expected-results.js';

export interface MeasureOptions {
  /** Interleaved batches a variant; their median counts. */
  readonly rounds: number;
  /** About how long one batch lasts. */
  readonly batchMs: number;
  /** The float64 reference is computed up to this many multiply–accumulates. */
  readonly referenceMacs: number;
  /** Which variants; default: all that the adapter can run. */
  readonly variants?: readonly Variant[];
  /** Instead of variants, only what the kernel's dispatcher takes by itself for the shape. */
  readonly chosen?: boolean;
  /** A variant but the first that takes this many times the best one's time in the first batch gets no other. */
  readonly giveUpAbove?: number;
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

interface Candidate {
  readonly name: string;
  readonly replay: () => void;
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
  const outputSpecs = spec.outputs(shape);
  const data = hostDataOf(spec, testCase);
  const expected = new ExpectedResults(runtime, spec, testCase, data, options.referenceMacs);
  const method = timingMethod(runtime);
  return runtime.scope(async () => {
    const inputArrays = makeArrays(runtime, spec.inputs(shape), data.inputs);
    const candidates: Candidate[] = [];
    const arena = new Arena();
    try {
      const { chosen = false } = options;
      const variants = chosen
        ? [selectVariant(runtime, spec.name, spec.variants)]
        : (options.variants ?? runnableVariants(runtime, spec.variants));
      for (const variant of variants) {
        const name = chosen ? 'chosen' : variant.name;
        const outputs = makeArrays(runtime, outputSpecs, data.initials);
        const run = () => {
          // A reference that is another variant may have forced that.
          if (chosen) runtime.forcedVariants.delete(spec.name);
          else runtime.forcedVariants.set(spec.name, name);
          spec.run(runtime, shape, inputArrays, outputs);
        };
        run();
        const actual = await readArrays(runtime, outputs);
        const check = await expected.check(variant, actual);
        // As a model runs it: what a step of JavaScript costs is not the kernel's.
        const { recording } = runtime.record(arena, run);
        const replay = () => runtime.replay(recording);
        const repetitions = await calibrate(runtime, replay, options.batchMs);
        candidates.push({ name, replay, check, seconds: [], repetitions });
      }
      await raiseClocks(runtime);
      let inPlay = candidates;
      for (let round = 0; round < options.rounds; round++) {
        for (const { replay, repetitions, seconds } of inPlay) {
          seconds.push(await takeTurn(() => timeBatch(runtime, method, replay, repetitions)));
        }
        if (round === 0) inPlay = worthwhile(candidates, options.giveUpAbove ?? Infinity);
      }
    } finally {
      runtime.forcedVariants.delete(spec.name);
      runtime.pool.trim(arena);
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

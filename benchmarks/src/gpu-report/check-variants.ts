import type { Runtime } from '@tubelet/kernels';
import { canHold, type KernelCase, type KernelSpec, runnableVariants } from '@tubelet/kernels/lab';
import { ExpectedResults, hostDataOf, makeArrays, readArrays } from '../kernels/expected-results.js';
import type { Part } from './budget.js';
import type { VariantCheck } from './report.js';

/** On which cases of a kernel its variants are checked. */
export interface CheckedCases {
  /** Of the largest one: above, the float64 reference takes too long. */
  readonly operations: number;
  /** How many at most, those of the fewest operations. */
  readonly cases: number;
}

/**
 * Runs every variant that the device can run on cases of its kernel, outputs poisoned, and holds the results to the
 * float64 reference; a second run must give the same bytes.
 */
export async function checkVariants(
  runtime: Runtime,
  specs: readonly KernelSpec[],
  most: CheckedCases,
  part: Part,
): Promise<VariantCheck[]> {
  const checks: VariantCheck[] = [];
  const { poisonAllocations } = runtime;
  runtime.poisonAllocations = true;
  try {
    for (const spec of specs) {
      if (!part.allows(spec.name)) continue;
      console.error(`checking ${spec.name} …`);
      const operations = ({ shape }: KernelCase<unknown>) => {
        const { macs, flops } = spec.cost(shape);
        return 2 * macs + flops;
      };
      const cases = spec.cases
        .filter((one) => operations(one) <= most.operations && canHold(runtime, spec, one.shape))
        .sort((a, b) => operations(a) - operations(b))
        .slice(0, most.cases);
      if (cases.length === 0) {
        part.leaveOut(spec.name, `none of its cases takes ${most.operations} operations or fewer`);
        continue;
      }
      await part.attempt(spec.name, async () => {
        const found = new Map(runnableVariants(runtime, spec.variants).map(({ name }) => [name, begun()]));
        for (const testCase of cases) await checkCase(runtime, spec, testCase, found);
        for (const [variant, { worst, wrong }] of found) {
          checks.push({ kernel: spec.name, variant, cases: cases.length, worst, wrong });
        }
      });
      runtime.pool.trim();
    }
  } finally {
    runtime.poisonAllocations = poisonAllocations;
  }
  return checks;
}

interface Found {
  worst: number;
  readonly wrong: string[];
}

const begun = (): Found => ({ worst: 0, wrong: [] });

async function checkCase(
  runtime: Runtime,
  spec: KernelSpec,
  testCase: KernelCase<unknown>,
  found: ReadonlyMap<string, Found>,
): Promise<void> {
  const { name, shape } = testCase;
  const outputs = spec.outputs(shape);
  const data = hostDataOf(spec, testCase);
  const expected = new ExpectedResults(runtime, spec, testCase, data, Infinity);
  const runOnce = () =>
    runtime.scope(() => {
      const made = makeArrays(runtime, outputs, data.initials);
      spec.run(runtime, shape, makeArrays(runtime, spec.inputs(shape), data.inputs), made);
      return readArrays(runtime, made);
    });
  for (const variant of runnableVariants(runtime, spec.variants)) {
    const own = found.get(variant.name)!;
    runtime.forcedVariants.set(spec.name, variant.name);
    try {
      const first = await runOnce();
      const { error, tolerance, passed } = await expected.check(variant, first);
      own.worst = Math.max(own.worst, error / tolerance);
      if (!passed) own.wrong.push(`${name}: off by ${error.toExponential(1)}, tolerance ${tolerance}`);
      const second = await runOnce();
      const same = Object.entries(first).every(([key, { buffer }]) =>
        Buffer.from(buffer).equals(Buffer.from(second[key]!.buffer)),
      );
      if (!same) own.wrong.push(`${name}: two runs differ`);
    } finally {
      runtime.forcedVariants.delete(spec.name);
    }
  }
}

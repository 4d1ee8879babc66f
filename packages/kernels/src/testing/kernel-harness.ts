import { expect, it } from 'vitest';
import { type DType, type GpuArray, product } from '../runtime/gpu-array.js';
import { runnableVariants, type Variant } from '../runtime/variants.js';
import type { HostData, Runtime } from '../runtime/runtime.js';
import {
  canHold,
  type ArraySpec,
  type HostArrays,
  type KernelCase,
  type KernelSpec,
} from '../kernel-spec.js';
import { makeHostData, roundedToF16, scaledError, toFloat64 } from './host-data.js';
import { isCompared, recordExecution } from './executions.js';
import { testRandom } from './random.js';
import { drawsOfLevel, isFullTest } from './test-level.js';

export { makeHostData, scaledError, toFloat64 } from './host-data.js';

type Specs = Readonly<Record<string, ArraySpec>>;

/** Runs a kernel once on fresh arrays; outputs start as NaN unless they have initial contents. */
export async function runOnce<Shape>(
  runtime: Runtime,
  spec: KernelSpec<Shape>,
  shape: Shape,
  inputs: Readonly<Record<string, HostData>>,
  initials: Readonly<Record<string, HostData>>,
): Promise<Record<string, HostData>> {
  return runtime.scope(async () => {
    const upload = (specs: Specs, data: Readonly<Record<string, HostData>>) =>
      Object.fromEntries(
        Object.entries(specs).map(([name, { shape: extent, dtype }]) => {
          const host = data[name];
          const array = host
            ? runtime.upload(host, extent, dtype ?? 'f32', name)
            : runtime.empty(extent, dtype ?? 'f32', name);
          return [name, array];
        }),
      );
    const outputs = upload(spec.outputs(shape), initials);
    spec.run(runtime, shape, upload(spec.inputs(shape), inputs), outputs);
    const results: Record<string, HostData> = {};
    for (const [name, array] of Object.entries(outputs)) results[name] = await readHost(runtime, array);
    return results;
  });
}

async function readHost(runtime: Runtime, array: GpuArray): Promise<HostData> {
  const bytes = await runtime.readBytes(array);
  if (array.dtype === 'u32') return new Uint32Array(bytes);
  if (array.dtype === 'i32') return new Int32Array(bytes);
  if (array.dtype === 'u8') return new Uint8Array(bytes);
  if (array.dtype === 'f16') return new Uint16Array(bytes);
  return new Float32Array(bytes);
}

/**
 * Kernel against float64 reference on one case with one variant: every output within tolerance, nothing left
 * unwritten, a second run bit-identical, and the declared cost is what the ledger received.
 */
export async function checkCase<Shape>(
  runtime: Runtime,
  spec: KernelSpec<Shape>,
  { name, shape, termSizes = {} }: Pick<KernelCase<Shape>, 'name' | 'shape' | 'termSizes'>,
  variant: Variant,
  seed = 1,
): Promise<void> {
  if (!isCompared(variant.name)) return;
  const random = testRandom(seed);
  const inputs = makeHostData(spec.inputs(shape), random);
  const initials = makeHostData(
    Object.fromEntries(Object.entries(spec.outputs(shape)).filter(([, output]) => output.initial)),
    random,
  );
  runtime.forcedVariants.set(spec.name, variant.name);
  try {
    const before = runtime.ledger.total();
    const first = await runOnce(runtime, spec, shape, inputs, initials);
    const after = runtime.ledger.total();
    const second = await runOnce(runtime, spec, shape, inputs, initials);
    const expected = expectedOf(variant, spec, shape, toFloat64(inputs), toFloat64(initials));
    for (const [output, { dtype, shape: extent }] of Object.entries(spec.outputs(shape))) {
      const where = `${spec.name}/${variant.name} ${name}: ${output}`;
      const wanted = expected[output];
      if (!wanted) throw new Error(`${where}: the reference returns no such output`);
      expect(wanted.length, `${where}: reference length`).toBe(product(extent));
      const actual = toFloat64({ [output]: first[output]! })[output]!;
      const error = scaledError(actual, wanted, termSizes[output]);
      const tolerance = toleranceOf(spec, variant, dtype);
      expect(error, `${where}: error against float64`).toBeLessThanOrEqual(tolerance);
      expect(sameBits(first[output]!, second[output]!), `${where}: run twice`).toBe(true);
    }
    const cost = spec.cost(shape);
    expect(after.macs - before.macs, `${spec.name} ${name}: macs in the ledger`).toBe(cost.macs);
    expect(after.flops - before.flops, `${spec.name} ${name}: flops in the ledger`).toBe(cost.flops);
    const bytesRead = after.bytesRead - before.bytesRead - cost.bytesRead;
    const bytesWritten = after.bytesWritten - before.bytesWritten - cost.bytesWritten;
    if (spec.movesMore) {
      expect(bytesWritten, `${spec.name} ${name}: bytes written beside the results`).toBeGreaterThanOrEqual(
        0,
      );
      // What is written besides is read again.
      if (spec.movesMore === 'parts')
        expect(bytesRead, `${spec.name} ${name}: bytes of parts read`).toBe(bytesWritten);
      expect(bytesRead, `${spec.name} ${name}: bytes read more than once`).toBeGreaterThanOrEqual(
        bytesWritten,
      );
    } else {
      expect(bytesRead, `${spec.name} ${name}: bytes read beyond those declared`).toBe(0);
      expect(bytesWritten, `${spec.name} ${name}: bytes written beyond those declared`).toBe(0);
    }
    await recordExecution(spec.name, variant.name);
  } finally {
    runtime.forcedVariants.delete(spec.name);
  }
}

function sameBits(a: HostData, b: HostData): boolean {
  const [left, right] = [a, b].map(({ buffer }) => new Uint8Array(buffer));
  return left!.length === right!.length && left!.every((byte, i) => byte === right![i]);
}

// Rounding is part of what a variant promises, so that only its arithmetic is left to err.
function expectedOf<Shape>(
  variant: Variant,
  spec: KernelSpec<Shape>,
  shape: Shape,
  inputs: HostArrays,
  initials: HostArrays,
): HostArrays {
  const exact = () => spec.reference(shape, { ...inputs, ...initials });
  if (variant.precision !== 'f16' || !spec.roundedInputs) return exact();
  const seen = Object.entries(inputs).map(([name, values]) => [
    name,
    spec.roundedInputs!.includes(name) ? roundedToF16(values) : values,
  ]);
  const expected = spec.reference(shape, { ...Object.fromEntries(seen), ...initials });
  if (!spec.unroundedOutputs) return expected;
  const unrounded = exact();
  return Object.fromEntries(
    Object.entries(expected).map(([name, values]) => [
      name,
      spec.unroundedOutputs!.includes(name) ? unrounded[name]! : values,
    ]),
  );
}

// Products of f16 are exact in f32 (11 + 11 bits of 24), and a sum of them errs like any sum in f32, except that
// matrix units may cut digits off where other arithmetic rounds to nearest: 2⁻²³ instead of 2⁻²⁴ an addition.
// What is stored in f16 is rounded once more, by 2⁻¹¹ of itself at most.
function toleranceOf<Shape>(spec: KernelSpec<Shape>, variant: Variant, dtype: DType = 'f32'): number {
  if (dtype !== 'f32' && dtype !== 'f16') return 0;
  const tolerance = spec.tolerance ?? 1e-5;
  const arithmetic = variant.precision === 'f16' ? (spec.toleranceF16 ?? 2 * tolerance) : tolerance;
  return dtype === 'f16' ? arithmetic + 2 ** -11 : arithmetic;
}

/** How many random shapes to try besides the cases and from which seed. */
interface CheckOptions {
  readonly randomShapes?: number;
  readonly seed?: number;
}

// Of a case that is tested daily.
const MOST_MODEL_ELEMENTS = 2 ** 18;

/**
 * Whether a case is tested daily. Large shapes of the models are not: they differ from edge cases in size, not in kind,
 * and a float64 reference of each takes as long as all of those.
 */
export function isDailyCase<Shape>(spec: KernelSpec<Shape>, { kind, shape }: KernelCase<Shape>): boolean {
  if (kind !== 'model') return true;
  const arrays = [...Object.values(spec.inputs(shape)), ...Object.values(spec.outputs(shape))];
  return arrays.reduce((sum, array) => sum + product(array.shape), 0) <= MOST_MODEL_ELEMENTS;
}

/** Everything that a kernel is checked on, with one variant. */
function checksOf<Shape>(
  spec: KernelSpec<Shape>,
  { randomShapes = 4, seed = 1 }: CheckOptions,
): readonly {
  readonly testCase: Pick<KernelCase<Shape>, 'name' | 'shape' | 'termSizes'>;
  readonly seed: number;
}[] {
  const { cases, randomShape } = spec;
  const random = testRandom(seed + 77);
  const { from, to } = drawsOfLevel(randomShapes);
  const shapes = Array.from({ length: randomShape ? to : 0 }, () => randomShape!(random));
  const drawn = shapes.map((shape, i) => ({
    testCase: { name: `random ${JSON.stringify(shape)}`, shape },
    seed: seed + i,
  }));
  const fixed = cases.filter((testCase) => isDailyCase(spec, testCase) !== isFullTest);
  return [...fixed.map((testCase) => ({ testCase, seed })), ...drawn.slice(from)];
}

/**
 * Declares a test for each daily case on each variant, then for `randomShapes` random shapes, and of the `rest` for the
 * other cases and the random shapes after those. A failure names its case; variants that the device cannot run are skipped.
 */
export function testKernel<Shape>(
  runtime: () => Runtime,
  spec: KernelSpec<Shape>,
  options: CheckOptions = {},
): void {
  for (const variant of spec.variants) {
    for (const { testCase, seed } of checksOf(spec, options)) {
      it(`${spec.name}/${variant.name} matches float64: ${testCase.name}`, async ({ skip }) => {
        if (!runnableVariants(runtime(), spec.variants).includes(variant)) skip();
        skip(!canHold(runtime(), spec, testCase.shape), 'this device has no f16');
        await checkCase(runtime(), spec, testCase, variant, seed);
      });
    }
  }
}

/** As `testKernel`, all within one test. */
export async function checkKernel<Shape>(
  runtime: Runtime,
  spec: KernelSpec<Shape>,
  options: CheckOptions = {},
): Promise<void> {
  for (const variant of runnableVariants(runtime, spec.variants)) {
    for (const { testCase, seed } of checksOf(spec, options)) {
      if (!canHold(runtime, spec, testCase.shape)) continue;
      await checkCase(runtime, spec, testCase, variant, seed);
    }
  }
}

/**
 * The analytic backward of the float64 reference against central differences, on the `tiny` cases:
 * relative error at most 1e-6, with a random cotangent.
 */
export function checkReferenceBackward<Shape>(spec: KernelSpec<Shape>, seed = 5): void {
  const cases = spec.cases.filter(({ kind }) => kind === 'tiny');
  if (!spec.referenceBackward || cases.length === 0) {
    throw new Error(`${spec.name}: a gradient check needs referenceBackward and a tiny case`);
  }
  for (const { name, shape } of cases) {
    const random = testRandom(seed);
    const inputs = toFloat64({
      ...makeHostData(spec.inputs(shape), random),
      ...makeHostData(
        Object.fromEntries(Object.entries(spec.outputs(shape)).filter(([, output]) => output.initial)),
        random,
      ),
    });
    const outputs = spec.reference(shape, inputs);
    const cotangents = Object.fromEntries(
      Object.entries(outputs).map(([output, values]) => [output, values.map(() => random.normal())]),
    );
    const gradients = spec.referenceBackward(shape, inputs, cotangents);
    for (const [input, gradient] of Object.entries(gradients)) {
      const error = relativeGradientError(spec, shape, inputs, input, cotangents, gradient);
      expect(error, `${spec.name} ${name}: reference gradient of ${input}`).toBeLessThan(1e-6);
    }
  }
}

function relativeGradientError<Shape>(
  spec: KernelSpec<Shape>,
  shape: Shape,
  inputs: HostArrays,
  input: string,
  cotangents: HostArrays,
  gradient: Float64Array,
): number {
  const objective = (values: Float64Array): number => {
    const outputs = spec.reference(shape, { ...inputs, [input]: values });
    let sum = 0;
    for (const [name, cotangent] of Object.entries(cotangents)) {
      cotangent.forEach((weight, i) => (sum += weight * outputs[name]![i]!));
    }
    return sum;
  };
  let squaredError = 0;
  let squaredNorm = 0;
  const values = inputs[input]!.slice();
  for (let i = 0; i < values.length; i++) {
    const original = values[i]!;
    const step = 1e-5 * Math.max(1, Math.abs(original));
    values[i] = original + step;
    const above = objective(values);
    values[i] = original - step;
    const below = objective(values);
    values[i] = original;
    const difference = (above - below) / (2 * step);
    squaredError += (difference - gradient[i]!) ** 2;
    squaredNorm += difference ** 2;
  }
  return Math.sqrt(squaredError) / Math.max(Math.sqrt(squaredNorm), 1e-8);
}

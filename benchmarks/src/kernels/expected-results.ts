import type { GpuArray, HostData, Precision, Runtime, Variant } from '@tubelet/kernels';
import {
  type ArraySpec,
  type KernelCase,
  type KernelSpec,
  makeHostData,
  roundedToF16,
  runnableVariants,
  scaledError,
  testRandom,
  toFloat64,
} from '@tubelet/kernels/lab';

/** Against what a result was checked, and how far off it is in units of the larger of 1 and max |expected|. */
export interface NumericCheck {
  /** `float64`, the name of another variant, or `none` where there was nothing to compare with. */
  readonly against: string;
  readonly error: number;
  readonly tolerance: number;
  readonly passed: boolean;
}

type HostArrays = Readonly<Record<string, HostData>>;
type Specs = Readonly<Record<string, ArraySpec>>;

/** The same contents for a case each time: those of its inputs, and of the outputs that are added to. */
export function hostDataOf(
  spec: KernelSpec,
  { shape }: Pick<KernelCase<unknown>, 'shape'>,
): { readonly inputs: HostArrays; readonly initials: HostArrays } {
  const random = testRandom(1);
  const inputs = makeHostData(spec.inputs(shape), random);
  const initial = Object.entries(spec.outputs(shape)).filter(([, output]) => output.initial);
  return { inputs, initials: makeHostData(Object.fromEntries(initial), random) };
}

/** What rounding a result to f16 may add to its error. */
const STORED_IN_F16 = 2 ** -11;

interface Expected {
  readonly against: string;
  readonly arrays: Readonly<Record<string, ArrayLike<number>>>;
}

/** What the variants of a kernel should compute on one case, found out when the first of them asks. */
export class ExpectedResults {
  // Variants that round their inputs are held to what rounded inputs give.
  private readonly known = new Map<Precision, Expected>();

  /**
   * @param data contents of the inputs, and of the outputs that are added to
   * @param referenceMacs the float64 reference is computed up to this many multiply–accumulates
   */
  constructor(
    private readonly runtime: Runtime,
    private readonly spec: KernelSpec,
    private readonly testCase: Pick<KernelCase<unknown>, 'shape' | 'termSizes'>,
    private readonly data: { readonly inputs: HostArrays; readonly initials: HostArrays },
    private readonly referenceMacs: number,
  ) {}

  /** Compares a variant's results with the float64 reference, or where that takes too long with another variant's. */
  async check(variant: Variant, actual: HostArrays): Promise<NumericCheck> {
    const precision = variant.precision ?? 'f32';
    const expected = this.known.get(precision) ?? (await this.find(precision));
    const numbers = toFloat64(actual);
    // The first result is what the others are compared with.
    this.known.set(precision, expected ?? { against: variant.name, arrays: numbers });
    const { spec } = this;
    const { shape, termSizes = {} } = this.testCase;
    // As in the kernels' tests: matrix units may cut digits off where other arithmetic rounds.
    const exact = spec.tolerance ?? 1e-5;
    const tolerance = precision === 'f16' ? (spec.toleranceF16 ?? 2 * exact) : exact;
    if (!expected) return { against: 'none', error: 0, tolerance, passed: true };
    const { against, arrays } = expected;
    // Two variants may each be off by the tolerance, and by a rounding, in opposite directions.
    const results = against === 'float64' ? 1 : 2;
    const allowed = results * tolerance;
    let worst = { error: 0, tolerance: allowed };
    let passed = true;
    for (const [name, { dtype = 'f32' }] of Object.entries(spec.outputs(shape))) {
      const difference = scaledError(numbers[name]!, arrays[name]!, termSizes[name]);
      const isReal = dtype === 'f32' || dtype === 'f16';
      const most = dtype === 'f16' ? allowed + results * STORED_IN_F16 : allowed;
      passed &&= difference <= (isReal ? most : 0);
      if (difference / most > worst.error / worst.tolerance) worst = { error: difference, tolerance: most };
    }
    return { against, ...worst, passed };
  }

  private async find(precision: Precision): Promise<Expected | undefined> {
    const { data } = this;
    const expected = await this.expect(precision, precision === 'f16' ? this.rounded() : data.inputs);
    const { unroundedOutputs = [] } = this.spec;
    if (!expected || precision === 'f32' || unroundedOutputs.length === 0) return expected;
    const exact = (await this.expect(precision, data.inputs))!;
    const kept = unroundedOutputs.flatMap((name) => {
      const values = exact.arrays[name];
      return values ? [[name, values] as const] : [];
    });
    return { ...expected, arrays: { ...expected.arrays, ...Object.fromEntries(kept) } };
  }

  private async expect(precision: Precision, inputs: HostArrays): Promise<Expected | undefined> {
    const { runtime, spec, data } = this;
    const { shape } = this.testCase;
    if (spec.cost(shape).macs <= this.referenceMacs) {
      const arrays = spec.reference(shape, { ...toFloat64(inputs), ...toFloat64(data.initials) });
      return { against: 'float64', arrays };
    }
    if (precision === 'f32') return undefined;
    const exact = runnableVariants(runtime, spec.variants).find((variant) => variant.precision === undefined);
    if (!exact) return undefined;
    return runtime.scope(async () => {
      runtime.forcedVariants.set(spec.name, exact.name);
      const outputs = makeArrays(runtime, spec.outputs(shape), data.initials);
      spec.run(runtime, shape, makeArrays(runtime, spec.inputs(shape), inputs), outputs);
      return { against: exact.name, arrays: toFloat64(await readArrays(runtime, outputs)) };
    });
  }

  private rounded(): HostArrays {
    const { roundedInputs = [] } = this.spec;
    return Object.fromEntries(
      Object.entries(this.data.inputs).map(([name, values]) => [
        name,
        roundedInputs.includes(name) && values instanceof Float32Array
          ? Float32Array.from(roundedToF16(Float64Array.from(values)))
          : values,
      ]),
    );
  }
}

export function makeArrays(runtime: Runtime, specs: Specs, data: HostArrays): Record<string, GpuArray> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape, dtype = 'f32' }]) => {
      const host = data[name];
      return [name, host ? runtime.upload(host, shape, dtype, name) : runtime.empty(shape, dtype, name)];
    }),
  );
}

export async function readArrays(
  runtime: Runtime,
  arrays: Readonly<Record<string, GpuArray>>,
): Promise<Record<string, HostData>> {
  const result: Record<string, HostData> = {};
  for (const [name, array] of Object.entries(arrays)) {
    const bytes = await runtime.readBytes(array);
    if (array.dtype === 'u32') result[name] = new Uint32Array(bytes);
    else if (array.dtype === 'i32') result[name] = new Int32Array(bytes);
    else if (array.dtype === 'u8') result[name] = new Uint8Array(bytes);
    else if (array.dtype === 'f16') result[name] = new Uint16Array(bytes);
    else result[name] = new Float32Array(bytes);
  }
  return result;
}

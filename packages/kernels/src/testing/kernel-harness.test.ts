import { describe, expect, it } from 'vitest';
import { defineKernel, type HostArrays, type KernelSpec } from '../kernel-spec.js';
import { double } from '../runtime/double.testing.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import { checkKernel, checkReferenceBackward, isDailyCase } from './kernel-harness.js';
import { useRuntime } from './test-runtime.js';

interface Shape {
  readonly size: number;
}

const good = defineKernel<Shape>({
  name: 'double',
  summary: 'twice the input',
  variants: [{ name: 'plain', needs: [], prefers: 'any' }],
  cases: [{ name: 'five', kind: 'tiny', shape: { size: 5 } }],
  randomShape: (random) => ({ size: 1 + random.integer(100) }),
  inputs: ({ size }) => ({ x: { shape: [size] } }),
  outputs: ({ size }) => ({ y: { shape: [size] } }),
  run: (runtime, _, { x }, { y }) => double(runtime, x!, y!),
  reference: (_, { x }) => ({ y: x!.map((value) => 2 * value) }),
  referenceBackward: (_, _inputs, { y }) => ({ x: y!.map((value) => 2 * value) }),
  cost: ({ size }) => ({ macs: 0, flops: size, bytesRead: 4 * size, bytesWritten: 4 * size }),
});

let runs = 0;
const wrong: [string, RegExp, Partial<KernelSpec<Shape>>][] = [
  [
    'another result',
    /error against float64/,
    { reference: (_: Shape, { x }: HostArrays) => ({ y: x!.map((value) => 2.001 * value) }) },
  ],
  [
    'an element left unwritten',
    /error against float64: expected Infinity/,
    {
      run: (runtime: Runtime, { size }: Shape, { x }, { y }) =>
        double(runtime, x!.slice(0, 0, size - 1), y!.slice(0, 0, size - 1)),
    },
  ],
  [
    'a result that changes from run to run',
    /run twice/,
    {
      tolerance: 1,
      run: (runtime: Runtime, _: Shape, { x }: Readonly<Record<string, GpuArray>>, { y }) => {
        double(runtime, x!, y!);
        runtime.write(y!.slice(0, 0, 1), Float32Array.of(++runs * 1e-3));
      },
    },
  ],
  [
    'another cost',
    /flops in the ledger/,
    { cost: () => ({ macs: 0, flops: 1, bytesRead: 0, bytesWritten: 0 }) },
  ],
  [
    'more bytes than declared',
    /bytes read beyond those declared/,
    { cost: ({ size }) => ({ macs: 0, flops: size, bytesRead: 0, bytesWritten: 4 * size }) },
  ],
  [
    'fewer bytes than the least',
    /bytes read more than once/,
    {
      movesMore: 'more',
      cost: ({ size }) => ({ macs: 0, flops: size, bytesRead: 8 * size, bytesWritten: 4 * size }),
    },
  ],
  [
    'what is written beside the results and read by nobody',
    /bytes read more than once/,
    {
      movesMore: 'more',
      cost: ({ size }) => ({ macs: 0, flops: size, bytesRead: 4 * size, bytesWritten: 0 }),
    },
  ],
  ['an output without a reference', /returns no such output/, { reference: () => ({}) }],
];

describe('the harness that all kernels are tested with', () => {
  const runtime = useRuntime();

  it('passes a right kernel', async () => {
    await checkKernel(runtime(), good);
    checkReferenceBackward(good);
  });

  it.each(wrong)('finds %s', async (_, message, change) => {
    await expect(checkKernel(runtime(), { ...good, ...change })).rejects.toThrow(message);
    expect(runtime().forcedVariants.size, 'no variant stays forced').toBe(0);
  });

  it('leaves large shapes of the models to the full test, and nothing else', () => {
    const isDaily = (kind: 'model' | 'edge', size: number) =>
      isDailyCase(good, { name: 'any', kind, shape: { size } });
    expect(isDaily('model', 2 ** 17)).toBe(true);
    expect(isDaily('model', 2 ** 17 + 1)).toBe(false);
    expect(isDaily('edge', 2 ** 17 + 1)).toBe(true);
  });

  it('finds a wrong analytic gradient, and a missing one', () => {
    const changed = {
      ...good,
      referenceBackward: (_: Shape, __: HostArrays, { y }: HostArrays) => ({ x: y! }),
    };
    expect(() => checkReferenceBackward(changed)).toThrow(/double five: reference gradient of x/);
    expect(() => checkReferenceBackward({ ...good, referenceBackward: undefined })).toThrow(
      'referenceBackward',
    );
  });
});

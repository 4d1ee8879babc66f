import { describe, expect, it } from 'vitest';
import { matmul, matmulVariants } from '../matmul/matmul.js';
import { PartialSums } from '../partial-sums/partial-sums.js';
import { openNullRuntime } from '../testing/null-runtime.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { Arena } from './buffer-pool.js';
import { double } from './double.testing.js';
import type { DType } from './gpu-array.js';
import type { MatrixUnitConfig, Runtime } from './runtime.js';

const COUNT = 1000;

/** Dispatches that `body` takes. */
function dispatchesOf(runtime: Runtime, body: () => void): number {
  const { dispatches } = runtime.counters;
  body();
  return runtime.counters.dispatches - dispatches;
}

/** Both gradients of a linear layer of `rows` rows: of its input, and in parts of its weight and bias. `dtype`: of both. */
function linearGradients(
  runtime: Runtime,
  rows: number,
  [inputs, outputs]: readonly [number, number],
  sums: PartialSums,
  dtype: DType = 'f32',
) {
  const random = testRandom(7);
  const upload = (...shape: readonly [number, number]) =>
    runtime.upload(
      Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
      shape,
    );
  const stored = (...shape: readonly [number, number]) =>
    dtype === 'f32' ? upload(...shape) : runtime.empty(shape, dtype);
  const [dy, x, weight] = [upload(rows, outputs), stored(rows, inputs), stored(outputs, inputs)];
  const dx = runtime.empty([rows, inputs]);
  const [dWeight, dBias] = [runtime.empty([outputs, inputs]), runtime.empty([outputs])];
  runtime.submit();
  const backward = () =>
    runtime.together(() => {
      matmul(runtime, { a: dy, transposeA: true, b: x, out: dWeight, rowSums: { out: dBias } }, sums);
      matmul(runtime, { a: dy, b: weight, out: dx });
    });
  return { backward, results: [dx, dWeight, dBias] };
}

describe('kernels in one dispatch', () => {
  const runtime = useRuntime();

  /** Joins kernels on a software driver too, which else does not. */
  async function joining<T>(body: () => Promise<T>): Promise<T> {
    const { joinsKernels } = runtime();
    runtime().joinsKernels = true;
    try {
      return await runtime().scope(body);
    } finally {
      runtime().joinsKernels = joinsKernels;
    }
  }

  it('do what they do apart, each on its own numbers, and count their costs', () =>
    joining(async () => {
      const x = runtime().upload(
        Float32Array.from({ length: COUNT }, (_, i) => i),
        [COUNT],
      );
      const [first, second] = [runtime().empty([COUNT]), runtime().empty([100])];
      runtime().submit();
      runtime().ledger.reset();
      const both = () =>
        runtime().together(() => {
          double(runtime(), x, first);
          double(runtime(), x.slice(0, 0, 100), second);
        });
      expect(dispatchesOf(runtime(), both)).toBe(1);
      expect([...(await runtime().read(first))]).toEqual(Array.from({ length: COUNT }, (_, i) => 2 * i));
      expect([...(await runtime().read(second))]).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i));
      expect(runtime().ledger.entries().get('double')).toMatchObject({ calls: 2, flops: COUNT + 100 });
      const { pipelinesCreated } = runtime().counters;
      both();
      expect(runtime().counters.pipelinesCreated).toBe(pipelinesCreated);
    }));

  it('stay apart and in order where one reads what another writes, and around other commands', () =>
    joining(async () => {
      const x = runtime().upload(new Float32Array(COUNT).fill(1), [COUNT]);
      const [once, twice, copied] = [1, 2, 3].map(() => runtime().empty([COUNT]));
      runtime().submit();
      const chain = () =>
        runtime().together(() => {
          double(runtime(), x, once!);
          double(runtime(), once!, twice!);
          runtime().copy(twice!, copied!);
          double(runtime(), copied!, once!);
        });
      expect(dispatchesOf(runtime(), chain)).toBe(3);
      expect((await runtime().read(twice!))[0]).toBe(4);
      expect((await runtime().read(once!))[0]).toBe(8);
    }));

  it('are no longer gathered once one of them could not be recorded', () =>
    joining(async () => {
      const x = runtime().upload(new Float32Array(COUNT).fill(1), [COUNT]);
      const out = runtime().empty([COUNT]);
      const wrong = () =>
        runtime().run({
          kernel: 'wrong',
          wgsl: ['@compute @workgroup_size(64) fn main() {}'],
          arrays: { x },
          workgroups: [1],
          cost: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 },
        });
      expect(() => runtime().together(wrong)).toThrow(SyntaxError);
      expect(runtime().isGathering).toBe(false);
      expect(dispatchesOf(runtime(), () => double(runtime(), x, out))).toBe(1);
    }));

  it('are replayed as they were recorded', () =>
    joining(async () => {
      const arena = new Arena();
      const x = runtime().upload(new Float32Array(COUNT).fill(3), [COUNT]);
      const [first, second] = [runtime().empty([COUNT]), runtime().empty([COUNT])];
      const { recording } = runtime().record(arena, () =>
        runtime().together(() => {
          double(runtime(), x, first);
          double(runtime(), x, second);
        }),
      );
      expect(recording.dispatches).toBe(1);
      expect(recording.ledger.entries().get('double')).toMatchObject({ calls: 2, flops: 2 * COUNT });
      runtime().write(x, new Float32Array(COUNT).fill(5));
      runtime().replay(recording);
      expect((await runtime().read(second))[COUNT - 1]).toBe(10);
      runtime().pool.trim(arena);
    }));

  it('make the gradients of a linear layer to the same bits', async () => {
    const results: Float32Array[][] = [];
    const { joinsKernels } = runtime();
    for (const joins of [false, true]) {
      runtime().joinsKernels = joins;
      runtime().forcedVariants.set('matmul', 'tiled').set('partial-sums', 'workgroup');
      await runtime().scope(async () => {
        const sums = new PartialSums(runtime());
        const { backward, results: arrays } = linearGradients(runtime(), 4200, [24, 40], sums);
        // Alone the parts of a split sum take a kernel more.
        expect(dispatchesOf(runtime(), backward)).toBe(joins ? 1 : 3);
        sums.flush();
        results.push(await Promise.all(arrays.map((array) => runtime().read(array))));
      });
      runtime().joinsKernels = joinsKernels;
      runtime().forcedVariants.clear();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0]![0]!.every((value) => Number.isFinite(value))).toBe(true);
  });
});

const unit: MatrixUnitConfig = { componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 };
const features = [...new Set(matmulVariants.flatMap(({ needs }) => needs))];

describe('joined gradients of linear layers compile', () => {
  it.each([
    ['matrix units, large', 'matrix-units', 4096, 512, 'f32'],
    ['matrix units, few rows', 'matrix-units', 64, 512, 'f32'],
    ['matrix units, ragged', 'matrix-units', 1000, 130, 'f32'],
    ['matrix units, large, f16', 'matrix-units', 4096, 512, 'f16'],
    ['matrix units, few rows, f16', 'matrix-units', 64, 512, 'f16'],
    ['matrix units, f16 copied by four', 'matrix-units-quads', 4096, 512, 'f16'],
    ['without them, large', 'outer', 4096, 512, 'f32'],
  ] as const)('%s', async (_, variant, rows, width, dtype) => {
    const runtime = await openNullRuntime(features, { isSoftware: false, matrixUnits: [unit] });
    runtime.precision = variant === 'outer' ? 'f32' : 'f16';
    runtime.forcedVariants.set('matmul', variant);
    runtime.scope(() => {
      const sums = new PartialSums(runtime);
      const { backward } = linearGradients(runtime, rows, [width, width], sums, dtype);
      expect(dispatchesOf(runtime, backward)).toBe(1);
      sums.flush();
    });
    await runtime.synchronize();
    runtime.destroy();
  });
});

import { describe, expect, it } from 'vitest';
import { canHold, type Random } from '../kernel-spec.js';
import { PartialSums } from '../partial-sums/partial-sums.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import { paperRuntime } from '../runtime/paper-device.js';
import type { AdapterSummary, HostData } from '../runtime/runtime.js';
import { runnableVariants, selectVariant, type Precision, type Variant } from '../runtime/variants.js';
import { gelu } from '../gelu/gelu.js';
import {
  checkCase,
  checkReferenceBackward,
  makeHostData,
  runOnce,
  scaledError,
  testKernel,
  toFloat64,
} from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { isForGpus, isFullTest } from '../testing/test-level.js';
import { useRuntime } from '../testing/test-runtime.js';
import { matmul, matmulVariants, type MatmulOperands } from './matmul.js';
import { matmulKernel } from './matmul.cases.js';
import type { MatmulShape } from './matmul.shapes.js';
import { splitsOf } from './matmul-variants.js';

// Of each form, which between them have every epilogue but a residual in place, aligned rows and others, f16 and K split.
const casesOfEachForm = ['tiny NN', 'f16 NT', 'ragged blocks NT', 'factors of rows of A, TN', 'split K TN'];

const others = ['matrix-units-no-prefetch', 'matrix-units-quads'];

// Of the cases for copies by eights, which only variants on matrix units make, those that are daily copied in other ways.
const copiedDaily = ['f16, rows of eights, NT', 'f16, rows of eights, TN, split K', 'f16, whole blocks, NN'];
const isForMatrixUnits = (name: string) => name.startsWith('f16, ');

/**
 * The cases to test a variant on. Left to the full test are shapes of the model, which differ in size, not in kind,
 * while a float64 reference of each takes seconds, copies by eights on other variants, and most cases in f32 of variants
 * that are made for GPUs, each of which is a program that a software driver compiles for seconds.
 */
const casesOf = (variant: Variant) =>
  matmulKernel.cases.filter(({ name, kind, shape }) => {
    const isHalf = variant.precision === 'f16';
    const isForAll = isHalf ? shape.halves !== undefined : !isForGpus(variant) && !isForMatrixUnits(name);
    const isDaily = kind !== 'model' && (isForAll || casesOfEachForm.includes(name));
    // Others on matrix units differ from the first where operands are of f16.
    const isOwn = !others.includes(variant.name) || shape.halves !== undefined;
    return isOwn && isDaily !== isFullTest;
  });

/** The case tiny NN in another size, for which the program is the same: with odd rows all loads are of one element. */
function randomSize(random: Random): MatmulShape {
  const { shape } = matmulKernel.cases.find(({ name }) => name === 'tiny NN')!;
  const odd = (most: number) => 1 + 2 * random.integer(most / 2);
  return { ...shape, m: odd(90), n: odd(150), k: odd(120) };
}

describe('matmul', () => {
  const runtime = useRuntime({ matrixUnits: true });
  const runnable = () => runnableVariants(runtime(), matmulVariants);

  it('has a reference whose backward matches differences', () => checkReferenceBackward(matmulKernel));

  for (const variant of matmulVariants) {
    it.for(casesOf(variant))(`${variant.name} matches float64: $name`, async (matmulCase, { skip }) => {
      skip(!runnable().includes(variant), 'this device cannot run the variant');
      skip(!canHold(runtime(), matmulKernel, matmulCase.shape), 'this device has no f16');
      await checkCase(runtime(), matmulKernel, matmulCase, variant);
    });
    const random = { ...matmulKernel, variants: [variant], cases: [] };
    const fewPrograms = isForGpus(variant) && !isFullTest;
    testKernel(runtime, fewPrograms ? { ...random, randomShape: randomSize } : random, { randomShapes: 2 });
  }

  const copied = matmulKernel.cases.filter(
    ({ name }) => isForMatrixUnits(name) && copiedDaily.includes(name) !== isFullTest,
  );
  it.for(copied)(
    'gives the same bits on matrix units however operands are copied: $name',
    async ({ shape }, { skip }) => {
      const variants = runnable().filter(({ precision }) => precision === 'f16');
      skip(variants.length === 0, 'this device has no matrix units');
      const random = testRandom(11);
      const inputs = makeHostData(matmulKernel.inputs(shape), random);
      const initials = makeHostData(
        Object.fromEntries(Object.entries(matmulKernel.outputs(shape)).filter(([, { initial }]) => initial)),
        random,
      );
      const results: Record<string, HostData>[] = [];
      for (const { name } of variants) {
        runtime().forcedVariants.set('matmul', name);
        results.push(await runOnce(runtime(), matmulKernel, shape, inputs, initials));
      }
      runtime().forcedVariants.delete('matmul');
      expect(results).toHaveLength(1 + others.length);
      const [{ rowSums: firstSums, ...first }] = results as [Record<string, HostData>];
      for (const { rowSums, ...result } of results) {
        expect(result).toEqual(first);
        // Sums of rows are added up in another order by four than by eight.
        if (firstSums) {
          const [actual, expected] = [rowSums!, firstSums].map((sums) => toFloat64({ sums })['sums']!);
          expect(scaledError(actual!, expected!)).toBeLessThan(1e-5);
        }
      }
    },
  );

  it('matches float64 on a shape of the model', async () => {
    const shape = { m: 88, n: 512, k: 512, form: 'NT', epilogue: ['bias'] } as const;
    for (const variant of runnable()) {
      await checkCase(runtime(), matmulKernel, { name: 'pre-training, projection', shape }, variant);
    }
  });

  it('fuses what separate products and kernels would do', async () => {
    const { added, plain, fused } = await runtime().scope(async () => {
      const random = testRandom(3);
      const upload = (rows: number, columns: number) =>
        runtime().upload(
          Float32Array.from({ length: rows * columns }, () => random.normal()),
          [rows, columns],
        );
      const [x, weight, residual] = [upload(20, 16), upload(12, 16), upload(20, 12)];
      const bias = upload(1, 12);
      const product = runtime().empty([20, 12]);
      const activated = runtime().empty([20, 12]);
      const out = runtime().empty([20, 12]);
      matmul(runtime(), { a: x, b: weight, out: product, transposeB: true, bias });
      gelu(runtime(), product, activated);
      matmul(runtime(), { a: x, b: weight, out, transposeB: true, bias, activation: 'gelu', residual });
      return {
        plain: await runtime().read(activated),
        added: await runtime().read(residual),
        fused: await runtime().read(out),
      };
    });
    fused.forEach((value, i) => expect(value).toBeCloseTo(plain[i]! + added[i]!, 5));
  });

  it('makes a row of factor 0 exactly zero, even where its product is infinite', () =>
    runtime().scope(async () => {
      const upload = (values: readonly number[], shape: readonly number[]) =>
        runtime().upload(Float32Array.from(values), shape);
      const out = runtime().empty([2, 4]);
      matmul(runtime(), {
        a: upload([1e30, 1e30], [2, 1]),
        b: upload([1e30, -1e30, 1, 0], [4, 1]),
        transposeB: true,
        out,
        rowScale: upload([0, 2], [2]),
        rowsPerScale: 1,
      });
      const doubled = 2 * Math.fround(1e30);
      expect([...(await runtime().read(out))]).toEqual([0, 0, 0, 0, Infinity, -Infinity, doubled, 0]);
    }));

  it('counts a split product once, its partial sums as they are written and read, and gives them back', () => {
    runtime().scope(() => {
      const a = runtime().empty([2048, 8]);
      const b = runtime().empty([2048, 12]);
      const out = runtime().empty([8, 12]);
      const before = runtime().ledger.total();
      const dispatches = runtime().counters.dispatches;
      const liveBytes = runtime().pool.liveBytes;
      matmul(runtime(), { a, b, out, transposeA: true });
      const after = runtime().ledger.total();
      expect(runtime().counters.dispatches - dispatches).toBe(2);
      expect(after.macs - before.macs).toBe(8 * 12 * 2048);
      expect(runtime().ledger.entries().get('matmul-reduce')!.macs).toBe(0);
      const [operands, result] = [4 * 2048 * (8 + 12), 4 * 8 * 12];
      const parts = after.bytesWritten - before.bytesWritten - result;
      expect(parts % result).toBe(0);
      expect(parts / result).toBeGreaterThan(1);
      expect(after.bytesRead - before.bytesRead).toBe(operands + parts);
      expect(runtime().pool.liveBytes).toBe(liveBytes);
    });
  });

  it('leaves nothing in parts that has an epilogue, or whose rows are apart', async () => {
    const { joinsKernels } = runtime();
    runtime().joinsKernels = true;
    try {
      await runtime().scope(async () => {
        const filled = (value: number, rows: number, columns: number) =>
          runtime().upload(new Float32Array(rows * columns).fill(value), [rows, columns]);
        const [a, b, bias] = [filled(1, 2048, 8), filled(2, 2048, 12), filled(1, 1, 12)];
        const whole = filled(0, 8, 16);
        const sums = new PartialSums(runtime());
        const out = runtime().empty([8, 12]);
        matmul(runtime(), { a, b, out, transposeA: true, alpha: 0.5, bias }, sums);
        matmul(runtime(), { a, b, out: whole.slice(1, 0, 12), transposeA: true }, sums);
        sums.flush();
        expect(await runtime().read(out)).toEqual(new Float32Array(8 * 12).fill(2049));
        const rows = Float32Array.from({ length: 8 * 16 }, (_, i) => (i % 16 < 12 ? 4096 : 0));
        expect(await runtime().read(whole)).toEqual(rows);
      });
    } finally {
      runtime().joinsKernels = joinsKernels;
    }
  });

  it('splits K only where blocks are few and K is long', () => {
    const block = { rows: 32, columns: 32, kStep: 32, invocations: 256, constants: {} };
    const splits = (m: number, n: number, k: number) => splitsOf({ groups: 1, m, n, k }, block, false);
    expect(splits(808, 512, 512).splits).toBe(1);
    expect(splits(32, 32, 1023).splits).toBe(1);
    expect(splits(32, 32, 1024)).toEqual({ splits: 2, kPerSplit: 512 });
    expect(splits(352, 352, 8000)).toEqual({ splits: 2, kPerSplit: 4000 });
    expect(splits(544, 512, 8000).splits).toBe(1);
    expect(splitsOf({ groups: 1, m: 352, n: 352, k: 8000 }, block, false, true).splits).toBe(2);
    expect(splitsOf({ groups: 1, m: 352, n: 384, k: 8000 }, block, false, true).splits).toBe(1);
    expect(splitsOf({ groups: 1, m: 128, n: 128, k: 8000 }, block, false, true).splits).toBe(8);
    const { splits: parts, kPerSplit } = splits(7, 7, 100_000);
    expect(parts * kPerSplit).toBeGreaterThanOrEqual(100_000);
    expect((parts - 1) * kPerSplit).toBeLessThan(100_000);
  });

  it('takes matrix units on a GPU that has them where rounding to f16 is allowed, and only there', () => {
    const matrixUnits = [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }];
    const features = matmulVariants.flatMap(({ needs }) => needs);
    const chosen = (precision: Precision, adapter: Partial<AdapterSummary>) => {
      const paper = paperRuntime({ adapter: { features, matrixUnits, ...adapter } });
      paper.precision = precision;
      return selectVariant(paper, 'matmul', matmulVariants).name;
    };
    expect(chosen('f16', {})).toBe('matrix-units');
    expect(chosen('f32', {})).toBe('outer');
    expect(chosen('f16', { isSoftware: true })).toBe('subgroup-broadcast');
    expect(chosen('f16', { isSoftware: true, subgroupMinSize: 8 })).toBe('tiled');
    expect(chosen('f16', { features: [] })).toBe('outer');
    expect(chosen('f16', { matrixUnits: [{ ...matrixUnits[0]!, resultComponentType: 'f16' }] })).toBe(
      'outer',
    );
  });

  describe('refuses', () => {
    const refuse = (make: (array: (...shape: number[]) => GpuArray) => MatmulOperands, message: RegExp) =>
      runtime().scope(() => {
        expect(() =>
          matmul(
            runtime(),
            make((...shape) => runtime().empty(shape)),
          ),
        ).toThrow(message);
      });

    it('extents that do not multiply', () => {
      refuse((array) => ({ a: array(2, 3), b: array(4, 5), out: array(2, 5) }), /2×3, 4×5 and 2×5/);
      refuse((array) => ({ a: array(2, 3), b: array(3, 5), out: array(5, 2) }), /2×3, 3×5 and 5×2/);
      refuse(
        (array) => ({ a: array(2, 3, 4), b: array(3, 4, 5), out: array(2, 3, 5) }),
        /different batch extents/,
      );
    });

    it('both operands transposed', () => {
      refuse(
        (array) => ({ a: array(3, 2), b: array(5, 3), out: array(2, 5), transposeA: true, transposeB: true }),
        /exclude each other/,
      );
    });

    it('an epilogue of another shape', () => {
      const operands = (array: (...shape: number[]) => GpuArray) => ({
        a: array(2, 3),
        b: array(3, 4),
        out: array(2, 4),
      });
      refuse((array) => ({ ...operands(array), bias: array(3) }), /bias must be .* 4 elements/);
      refuse(
        (array) => ({ ...operands(array), residual: array(4, 2) }),
        /residual must have 2 rows of 4 columns/,
      );
      refuse(
        (array) => ({ ...operands(array), rowScale: array(2) }),
        /rowScale and rowsPerScale go together/,
      );
      refuse(
        (array) => ({ ...operands(array), rowScale: array(1), rowsPerScale: 1 }),
        /2 rows, 1 to a factor/,
      );
    });

    it('row sums that cannot be had, or would lie elsewhere', () => {
      const operands = (array: (...shape: number[]) => GpuArray) => ({
        a: array(3, 2),
        b: array(3, 4),
        out: array(2, 4),
        transposeA: true,
      });
      refuse(
        (array) => ({ ...operands(array), rowSums: { out: array(3) } }),
        /rowSums.out must be .* 2 elements/,
      );
      refuse(
        (array) => ({ a: array(2, 3), b: array(3, 4), out: array(2, 4), rowSums: { out: array(2) } }),
        /rowSums need transposeA/,
      );
      refuse((array) => {
        const given = operands(array);
        return { ...given, rowSums: { out: given.a.reshape([6]).slice(0, 0, 2) } };
      }, /rowSums and a share a buffer/);
    });

    it('an output that shares memory with an operand', () => {
      refuse((array) => {
        const a = array(4, 4);
        return { a, b: array(4, 4), out: a };
      }, /out and a share a buffer/);
      refuse((array) => {
        const out = array(2, 2, 4);
        return { a: array(2, 4), b: array(4, 4), out: out.slice(1, 0, 1), residual: out.slice(1, 1, 2) };
      }, /lies elsewhere in it/);
    });
  });
});

import { describe, expect, it } from 'vitest';
import { testRandom } from '@tubelet/kernels/lab';
import { gradcheck } from '../engine/gradcheck.js';
import { operationCatalogue } from '../lab/catalogue.js';
import { checkExample, TOLERANCE } from '../lab/operation.js';
import { useEngine, values } from '../testing/test-engine.js';
import { add, neg } from './arithmetic.js';
import { binaryCrossEntropy, crossEntropy } from './classification.js';
import { where } from './comparisons.js';
import { averagePool, maxPool } from './convolution.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { concat, expand, pad, patches, permute, slice } from './layout.js';
import { linear } from './linear.js';
import { matmul } from './matmul.js';
import { argmax, max, min, sum } from './reductions.js';
import { scaledDotProductAttention } from './scaled-dot-product-attention.js';
import { split } from './views.js';

describe('operations', () => {
  const engine = useEngine();

  describe.each(Object.entries(operationCatalogue))('on %s', (_, operations) => {
    it.each(operations)('$name has the value and gradients of its float64 reference', async (operation) => {
      const random = testRandom(3);
      for (const [i, example] of operation.examples(random).entries()) {
        const where = `example ${i} on ${JSON.stringify(example.shapes)}`;
        const { value, gradient } = await checkExample(engine(), operation, example, random);
        expect(value, `${where}: value`).toBeLessThan(TOLERANCE.value);
        expect(gradient, `${where}: gradient`).toBeLessThan(TOLERANCE.gradient);
      }
    });
  });

  it('are in the table once each', () => {
    const names = Object.values(operationCatalogue).flatMap((operations) =>
      operations.map(({ name }) => name),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('add to gradients that came before, and take one tensor twice', async () => {
    const result = await gradcheck(engine(), {
      forward: (a, b) => {
        const [first, rest] = split(a!, 0, [1, 2]) as [typeof a, typeof a];
        // Gradients reach the parts of one buffer from several sides.
        return add(add(concat([rest!, first!], 0), b!), add(a!, add(permute(b!, [0, 1]), b!)));
      },
      reference: (a, b) => a!.map((value, i) => a![(i + 4) % 12]! + value + 3 * b![i]!),
      inputs: [
        { shape: [3, 4], data: values(12) },
        { shape: [3, 4], data: values(12, 4) },
      ],
      cotangent: values(12, 2),
    });
    expect(result.value).toBeLessThan(TOLERANCE.value);
    for (const error of result.gradients) expect(error).toBeLessThan(TOLERANCE.gradient);
  });

  it('finds a wrong gradient', async () => {
    const result = await gradcheck(engine(), {
      forward: (x) => gelu(x!),
      reference: (x) => x!.map((value) => value * value),
      inputs: [{ shape: [4], data: values(4) }],
      cotangent: values(4, 2),
    });
    expect(result.value).toBeGreaterThan(0.1);
    expect(result.gradients[0]).toBeGreaterThan(0.1);
  });

  it('answer an index beyond the end by what is not a number', () =>
    engine().step(async () => {
      const x = engine().tensor(Float32Array.of(1, 2, 3), [3]);
      const y = gather(x, engine().tensor(Int32Array.of(2, 3, -3, -4), [4]));
      expect([...(await y.read())]).toEqual([3, NaN, 1, NaN]);
    }));

  it('find extremes among infinities and what is not a number, over one part and over two', () =>
    engine().step(async () => {
      for (const count of [3, 100]) {
        const at = count - 2;
        const rows = [-Infinity, 1].flatMap((fill) => new Array<number>(count).fill(fill));
        rows[count + at] = NaN;
        const x = engine().tensor(Float32Array.from(rows), [2, count]);
        expect([...(await max(x, { axes: [1] }).read())]).toEqual([-Infinity, NaN]);
        expect([...(await min(neg(x), { axes: [1] }).read())]).toEqual([Infinity, NaN]);
        expect([...(await argmax(x, { axis: 1 }).readIntegers())]).toEqual([0, at]);
      }
    }));

  it('take no label below zero for a class', () =>
    engine().step(async () => {
      const logits = engine().tensor(new Float32Array(8), [2, 4]);
      const losses = crossEntropy(logits, engine().tensor(Int32Array.of(-1, 3), [2]), { reduction: 'none' });
      expect([...(await losses.read())]).toEqual([NaN, expect.closeTo(Math.log(4), 5)]);
    }));

  it('give parts of a tensor that can be read', () =>
    engine().step(async () => {
      const numbers = [1, 2, 3, 4, 5, 6];
      const x = engine().tensor(Float32Array.from(numbers), [2, 3]);
      const ids = engine().tensor(Int32Array.from(numbers), [2, 3]);
      const { liveBytes } = engine().runtime.pool;
      expect([...(await split(x, 1, [1, 2])[1]!.read())]).toEqual([2, 3, 5, 6]);
      expect([...(await split(ids, 1, [1, 2])[0]!.readIntegers())]).toEqual([1, 4]);
      expect(engine().runtime.pool.liveBytes).toBe(liveBytes);
    }));

  it('give whole numbers where they take some, that f32 cannot hold too', () =>
    engine().step(async () => {
      const ids = engine().tensor(Int32Array.of(-16_777_217, 2, 16_777_219), [1, 3]);
      const counts = engine().tensor(Uint32Array.of(4_000_000_001, 2), [2]);
      expect([
        ...(await pad(
          ids,
          [
            [0, 0],
            [1, 0],
          ],
          { value: -7 },
        ).readIntegers()),
      ]).toEqual([-7, -16_777_217, 2, 16_777_219]);
      expect([...(await pad(counts, [[1, 0]], { value: 4_000_000_003 }).readIntegers())]).toEqual([
        4_000_000_003, 4_000_000_001, 2,
      ]);
      expect([...(await patches(ids, { size: [2] }).readIntegers())]).toEqual([
        -16_777_217, 2, 2, 16_777_219,
      ]);
    }));

  it('refuse shapes that do not fit, naming the operation and them', () =>
    engine().runtime.scope(() => {
      const x = engine().tensor(new Float32Array(6), [2, 3]);
      const w = engine().tensor(new Float32Array(8), [2, 4]);
      const ids = engine().tensor(new Int32Array(2), [2]);
      expect(() => linear(x, w)).toThrow(/\[2, 3\].*\[2, 4\]/);
      expect(() => maxPool(x, { size: [2] })).toThrow(/maxPool: a window of \[2\].*\[2, 3\]/);
      expect(() => split(x, 1, [1, 1])).toThrow(/1 \+ 1.*\[2, 3\]/);
      expect(() => add(x, w)).toThrow(/add: .*\[2, 3\].*\[2, 4\]/);
      expect(() => add(x, ids)).toThrow(/add: operands must be f32.*i32\[2\]/);
      expect(() => add(1, 2)).toThrow(/add: no operand is a tensor/);
      expect(() => where(x, x, -Infinity)).toThrow(/where: operand b is -Infinity; give a finite number/);
      expect(() =>
        pad(
          w,
          [
            [1, 1],
            [0, 0],
          ],
          { value: 1e39 },
        ),
      ).toThrow(/pad: value is 1e\+39 for .*\[2, 4\].*; give a finite number of f32/);
      expect(() => pad(ids, [[1, 1]], { value: 0.5 })).toThrow(
        /pad: value is 0.5 for .*i32\[2\]; give a whole/,
      );
      expect(() => pad(ids, [[1, 1]], { value: 2 ** 31 })).toThrow(/from -2147483648 to 2147483647/);
      expect(() => matmul(x, w)).toThrow(/matmul: \[2, 3\] and \[2, 4\]/);
      expect(() => sum(x, { axes: [2] })).toThrow(/sum: .*\[2, 3\] has no axis 2/);
      expect(() => permute(x, [0, 0])).toThrow(/permute: \[0, 0\].*\[2, 3\]/);
      expect(() => concat([x, w], 0)).toThrow(/concat: .*\[2, 3\].*\[2, 4\]/);
      expect(() => slice(x, 0, { start: 2 })).toThrow(/slice: nothing from 2/);
      expect(() => slice(x, 1, { end: 1.5 })).toThrow(/slice: end is 1\.5 .*\[2, 3\]; give a whole number/);
      expect(() => split(x, 1, [1.5, 1.5])).toThrow(/slice 0:1\.5 of axis 1/);
      expect(() => expand(x, [3])).toThrow(/\[2, 3\].* does not broadcast to \[3\]/);
      expect(() => binaryCrossEntropy(x, engine().tensor(new Float32Array(3), [3]))).toThrow(
        /\[2, 3\].*same shape.*\[3\]/,
      );
      const image = engine().tensor(new Float32Array(16), [1, 1, 4, 4]);
      expect(() => maxPool(image, { size: [2, 2], stride: [2] })).toThrow(
        /maxPool: stride is \[2\]; .*2 axes/,
      );
      expect(() => averagePool(image, { size: [2, 2], padding: -1 })).toThrow(/pad/);
      expect(() => gather(x, x)).toThrow(/gather: indices must be .*i32.*\[2, 3\]/);
      const q = engine().tensor(new Float32Array(24), [2, 3, 4]);
      expect(() => scaledDotProductAttention(q, q, x)).toThrow(/q \[2, 3, 4\].*v \[2, 3\]/);
    }));
});

import { describe, expect, it } from 'vitest';
import { add } from '../ops/arithmetic.js';
import { gelu } from '../ops/gelu.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { meanRows } from '../ops/mean-rows.js';
import { mlp } from '../ops/mlp.js';
import { copyInto, join, split } from '../ops/views.js';
import { plainGelu, plainLayerNorm, plainLinear } from '../testing/plain.js';
import { useEngine, values } from '../testing/test-engine.js';
import { gradcheck, MissingGradientError } from './gradcheck.js';
import type { Tensor } from './tensor.js';

const sum = (...terms: Float64Array[]) =>
  terms[0]!.map((_, i) => terms.reduce((total, term) => total + term[i]!, 0));

/** Rows of x [B, T, C] by their place in a group of T: the first ones, or the others. */
function pick(x: Float64Array, tokens: number, columns: number, first: boolean): Float64Array {
  return x.filter((_, i) => (Math.floor(i / columns) % tokens === 0) === first);
}

function merge(firsts: Float64Array, others: Float64Array, tokens: number, columns: number): Float64Array {
  const [a, b] = [firsts.values(), others.values()];
  return Float64Array.from(
    { length: firsts.length + others.length },
    (_, i) => (Math.floor(i / columns) % tokens === 0 ? a : b).next().value!,
  );
}

describe('gradients', () => {
  const engine = useEngine();
  const inputs = (...shapes: number[][]) =>
    shapes.map((shape, i) => ({
      shape,
      data: values(
        shape.reduce((a, b) => a * b, 1),
        i + 3,
      ),
    }));

  it('of a value used in many places are added up', async () => {
    const result = await gradcheck(engine(), {
      forward: (x, w) => add(add(linear(x!, w!, { residual: x! }), gelu(x!)), linear(gelu(x!), w!)),
      reference: (x, w) => {
        const active = plainGelu(x!);
        return sum(plainLinear(x!, w!, undefined, 4), x!, active, plainLinear(active, w!, undefined, 4));
      },
      inputs: inputs([3, 4], [4, 4]),
      cotangent: values(12, 2),
    });
    expect(result.value).toBeLessThan(1e-6);
    for (const error of result.gradients) expect(error).toBeLessThan(2e-6);
  });

  it('come to GELUs and layers with one from parts of a buffer', async () => {
    const result = await gradcheck(engine(), {
      forward: (x, w) => {
        const [first, others] = split(x!, 1, [1, 2]) as [Tensor, Tensor];
        const whole = engine().empty(x!.shape);
        return join(whole, [
          linear(gelu(first), w!, { activation: 'gelu', into: whole.slice(1, 0, 1) }),
          copyInto(gelu(others), whole.slice(1, 1, 3)),
        ]);
      },
      reference: (x, w) => {
        const active = plainGelu(x!);
        const layer = plainGelu(plainLinear(pick(active, 3, 4, true), w!, undefined, 4));
        return merge(layer, pick(active, 3, 4, false), 3, 4);
      },
      inputs: inputs([2, 3, 4], [4, 4]),
      cotangent: values(24, 2),
    });
    expect(result.value).toBeLessThan(1e-6);
    for (const error of result.gradients) expect(error).toBeLessThan(2e-6);
  });

  it('come to means of rows from parts of a buffer', async () => {
    const result = await gradcheck(engine(), {
      forward: (x) => {
        const whole = engine().empty([2, 8]);
        const parts = [0, 4].map((start) => copyInto(meanRows(x!), whole.slice(1, start, start + 4)));
        return join(whole, parts);
      },
      reference: (x) =>
        Float64Array.from({ length: 16 }, (_, i) => {
          const at = 12 * Math.floor(i / 8) + (i % 4);
          return (x![at]! + x![at + 4]! + x![at + 8]!) / 3;
        }),
      inputs: inputs([2, 3, 4]),
      cotangent: values(16, 2),
    });
    expect(result.value).toBeLessThan(1e-6);
    expect(result.gradients[0]).toBeLessThan(2e-6);
  });

  // What the blocks of LGI-Former do: representative and local rows take different ways through one buffer, and
  // residual connections hand the gradient buffer down, where every branch adds to it in place.
  it('flow through two pre-norm blocks over views of one buffer', async () => {
    const [tokens, columns] = [3, 4];
    const block = (x: Tensor, [nw, nb, wf, wo, w1, b1, w2, b2]: Tensor[]): Tensor => {
      const [first, others] = split(x, 1, [1, tokens - 1]) as [Tensor, Tensor];
      const whole = engine().empty(x.shape);
      const mixedFirst = linear(layerNorm(first, nw!, nb!), wf!, {
        residual: first,
        into: whole.slice(1, 0, 1),
      });
      const mixedOthers = linear(layerNorm(others, nw!, nb!), wo!, {
        residual: others,
        into: whole.slice(1, 1, tokens),
      });
      const joined = join(whole, [mixedFirst, mixedOthers]);
      const normed = layerNorm(joined, nw!, nb!);
      return mlp({ x: normed, fc1Weight: w1!, fc1Bias: b1!, fc2Weight: w2!, fc2Bias: b2!, residual: joined });
    };
    const plainBlock = (x: Float64Array, [nw, nb, wf, wo, w1, b1, w2, b2]: Float64Array[]): Float64Array => {
      const mix = (rows: Float64Array, w: Float64Array) =>
        sum(rows, plainLinear(plainLayerNorm(rows, nw!, nb!), w, undefined, columns));
      const joined = merge(
        mix(pick(x, tokens, columns, true), wf!),
        mix(pick(x, tokens, columns, false), wo!),
        tokens,
        columns,
      );
      const hidden = plainGelu(plainLinear(plainLayerNorm(joined, nw!, nb!), w1!, b1!, columns));
      return sum(joined, plainLinear(hidden, w2!, b2!, 5));
    };
    const weights = [[4], [4], [4, 4], [4, 4], [5, 4], [5], [4, 5], [4]];
    const result = await gradcheck(engine(), {
      // Both blocks share their weights, so that these gradients are sums as well.
      forward: (x, ...w) => block(block(x!, w), w),
      reference: (x, ...w) => plainBlock(plainBlock(x!, w), w),
      inputs: inputs([2, tokens, columns], ...weights),
      cotangent: values(24, 2),
    });
    expect(result.value).toBeLessThan(1e-6);
    for (const [i, error] of result.gradients.entries()) expect(error, `input ${i}`).toBeLessThan(1e-5);
  });

  it('of the input of a split come from one buffer without a copy when they lie in it already', () =>
    engine().step(async () => {
      const x = engine().tensor(Float32Array.from(values(24)), [2, 3, 4], { requiresGrad: true, name: 'x' });
      const [first, others] = split(gelu(x), 1, [1, 2]) as [Tensor, Tensor];
      const whole = engine().empty([2, 3, 4]);
      const y = join(whole, [copyInto(first, whole.slice(1, 0, 1)), copyInto(others, whole.slice(1, 1, 3))]);
      const { dispatches } = engine().runtime.counters;
      y.backward({ cotangent: new Float32Array(24).fill(1) });
      expect(engine().runtime.counters.dispatches - dispatches, 'the backward pass of GELU alone').toBe(1);
      await engine().runtime.synchronize();
    }));

  it('that are views of a larger buffer can be read', () =>
    engine().step(async () => {
      const x = engine().tensor(Float32Array.of(1, 2, 3, 4), [2, 1, 2], { requiresGrad: true, name: 'x' });
      const other = engine().tensor(Float32Array.of(5, 6, 7, 8), [2, 1, 2], {
        requiresGrad: true,
        name: 'y',
      });
      const whole = engine().empty([2, 2, 2]);
      const y = join(whole, [copyInto(x, whole.slice(1, 0, 1)), copyInto(other, whole.slice(1, 1, 2))]);
      expect([...(await y.read())]).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
      const gradients = y.backward({ cotangent: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
      expect(gradients.get(x)!.isContiguous).toBe(false);
      expect([...(await gradients.read(x))!]).toEqual([1, 2, 5, 6]);
      expect([...(await gradients.read(other))!]).toEqual([3, 4, 7, 8]);
    }));

  it('are zero where nothing flowed into a part, also with stale memory around', () =>
    engine().step(async () => {
      const x = engine().tensor(Float32Array.from(values(12)), [2, 3, 2], { requiresGrad: true, name: 'x' });
      const [, second] = split(x, 1, [1, 1, 1]);
      const y = copyInto(second!, engine().empty([2, 1, 2]));
      const gradients = y.backward({ cotangent: Float32Array.of(1, 2, 3, 4) });
      expect([...(await gradients.read(x))!]).toEqual([0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0]);
    }));
});

describe('gradcheck', () => {
  const engine = useEngine();
  /** The identity, whose gradient is off by the factor 1 + wrong. */
  const check = (wrong: number) =>
    gradcheck(engine(), {
      forward: (x) => {
        const copy = engine().noGrad(() => copyInto(x!, engine().empty([4])));
        const y = engine().output(copy.array, [x], 'skewed');
        engine().record({
          name: 'skewed',
          inputs: [x!],
          outputs: [y],
          saved: [],
          backward: (gradients) => {
            const skewed = Float32Array.from(values(4, 2), (value) => value * (1 + wrong));
            engine().runtime.write(gradients.target(x!).array, skewed);
          },
        });
        return y;
      },
      reference: (x) => x!,
      inputs: [{ shape: [4], data: values(4) }],
      cotangent: values(4, 2),
    });

  it('passes right gradients and finds those that are off by a thousandth', async () => {
    const right = await check(0);
    expect(right.value).toBeLessThan(1e-6);
    expect(right.gradients[0]).toBeLessThan(1e-6);
    const wrong = await check(1e-3);
    expect(wrong.value).toBeLessThan(1e-6);
    expect(wrong.gradients[0]).toBeCloseTo(1e-3, 5);
  });

  it('refuses an input that no gradient has reached, though its gradient is zero', async () => {
    const checked = gradcheck(engine(), {
      forward: (x) => gelu(x!),
      reference: (x) => plainGelu(x!),
      inputs: [
        { shape: [4], data: values(4) },
        { shape: [4], data: values(4, 3) },
      ],
      cotangent: values(4, 2),
    });
    await expect(checked).rejects.toThrow(MissingGradientError);
    await expect(checked).rejects.toThrow(/no gradient has reached Tensor input 1/);
  });
});

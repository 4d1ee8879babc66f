import { describe, expect, it } from 'vitest';
import type { Engine } from '../engine.js';
import { gradcheck, type GradcheckOptions } from '../gradcheck.js';
import type { Tensor } from '../tensor.js';
import { plainAttention, plainGelu, plainLayerNorm, plainLinear } from '../testing/plain.js';
import { useEngine, values } from '../testing/test-engine.js';
import { addRows, broadcastRows } from './add-rows.js';
import { add } from './add.js';
import { attention } from './attention.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { meanSquareError, softCrossEntropy } from './losses.js';
import { meanRows } from './mean-rows.js';
import { mlp } from './mlp.js';
import { scaleRows } from './row-scale.js';
import { copyInto, join, reshape, split } from './views.js';

interface OpCase extends Pick<GradcheckOptions, 'forward' | 'reference'> {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly outputs: number;
}

const elementwiseSum = (a: Float64Array, b: Float64Array) => a.map((value, i) => value + b[i]!);

/** Every differentiable operation once, and the fused forms; one table for values and gradients. */
function cases(engine: Engine): OpCase[] {
  const { runtime } = engine;
  const f32 = (data: readonly number[], shape: readonly number[]) =>
    runtime.upload(Float32Array.from(data), shape);
  const u32 = (data: readonly number[], shape: readonly number[]) =>
    runtime.upload(Uint32Array.from(data), shape);
  const size = { groups: 2, queries: 3, keys: 4, width: 8, heads: 2 };
  const table = values(15, 9);
  const target = values(24, 8);
  const labels = [0.7, 0.2, 0.1, 0, 0.5, 0.5];
  return [
    {
      name: 'linear with bias',
      shapes: [[5, 7], [3, 7], [3]],
      outputs: 15,
      forward: (x, w, b) => linear(x!, w!, { bias: b! }),
      reference: (x, w, b) => plainLinear(x!, w!, b!, 7),
    },
    {
      name: 'linear with GELU',
      shapes: [[5, 7], [3, 7], [3]],
      outputs: 15,
      forward: (x, w, b) => linear(x!, w!, { bias: b!, activation: 'gelu' }),
      reference: (x, w, b) => plainGelu(plainLinear(x!, w!, b!, 7)),
    },
    {
      name: 'linear with scaled residual',
      shapes: [[4, 6], [3, 6], [3], [4, 3]],
      outputs: 12,
      forward: (x, w, b, r) =>
        linear(x!, w!, {
          bias: b!,
          residual: r!,
          rowScaling: { scale: f32([0, 1.25], [2]), rowsPerScale: 2 },
        }),
      reference: (x, w, b, r) =>
        plainLinear(x!, w!, b!, 6).map((value, i) => r![i]! + (i < 6 ? 0 : 1.25) * value),
    },
    {
      name: 'mlp',
      shapes: [[4, 5], [6, 5], [6], [5, 6], [5], [4, 5]],
      outputs: 20,
      forward: (x, w1, b1, w2, b2, r) =>
        mlp({ x: x!, fc1Weight: w1!, fc1Bias: b1!, fc2Weight: w2!, fc2Bias: b2!, residual: r! }),
      reference: (x, w1, b1, w2, b2, r) =>
        elementwiseSum(r!, plainLinear(plainGelu(plainLinear(x!, w1!, b1!, 5)), w2!, b2!, 6)),
    },
    {
      name: 'mlp with scaled rows',
      shapes: [[4, 5], [6, 5], [6], [5, 6], [5], [4, 5]],
      outputs: 20,
      forward: (x, w1, b1, w2, b2, r) =>
        mlp({
          x: x!,
          fc1Weight: w1!,
          fc1Bias: b1!,
          fc2Weight: w2!,
          fc2Bias: b2!,
          residual: r!,
          rowScaling: { scale: f32([2, 0, 1, 0.5], [4]), rowsPerScale: 1 },
        }),
      reference: (x, w1, b1, w2, b2, r) =>
        plainLinear(plainGelu(plainLinear(x!, w1!, b1!, 5)), w2!, b2!, 6).map(
          (value, i) => r![i]! + [2, 0, 1, 0.5][Math.floor(i / 5)]! * value,
        ),
    },
    {
      name: 'layer norm',
      shapes: [[5, 8], [8], [8]],
      outputs: 40,
      forward: (x, w, b) => layerNorm(x!, w!, b!),
      reference: (x, w, b) => plainLayerNorm(x!, w!, b!),
    },
    {
      name: 'gelu',
      shapes: [[3, 5]],
      outputs: 15,
      forward: (x) => gelu(x!),
      reference: (x) => plainGelu(x!),
    },
    {
      name: 'cross attention',
      shapes: [
        [2, 3, 8],
        [2, 4, 16],
      ],
      outputs: 48,
      forward: (q, kv) => attention({ q: q!, kv: kv!, heads: 2 }),
      reference: (q, kv) => plainAttention(q!, kv!, size),
    },
    {
      name: 'self attention',
      shapes: [[2, 3, 24]],
      outputs: 48,
      forward: (qkv) => attention({ qkv: qkv!, heads: 2 }),
      reference: (qkv) => {
        const q = new Float64Array(48);
        const kv = new Float64Array(96);
        for (let row = 0; row < 6; row++) {
          q.set(qkv!.subarray(row * 24, row * 24 + 8), row * 8);
          kv.set(qkv!.subarray(row * 24 + 8, row * 24 + 24), row * 16);
        }
        return plainAttention(q, kv, { ...size, keys: 3 });
      },
    },
    {
      name: 'add, one operand used twice',
      shapes: [
        [3, 4],
        [3, 4],
      ],
      outputs: 12,
      forward: (a, b) => add(add(a!, b!), a!),
      reference: (a, b) => a!.map((value, i) => 2 * value + b![i]!),
    },
    {
      name: 'add rows of a table',
      shapes: [[4, 3]],
      outputs: 12,
      forward: (x) => addRows(x!, { table: f32([...table], [5, 3]), indices: u32([4, 0, 0, 2], [4]) }),
      reference: (x) =>
        x!.map((value, i) => value + Math.fround(table[[4, 0, 0, 2][Math.floor(i / 3)]! * 3 + (i % 3)]!)),
    },
    {
      name: 'broadcast rows',
      shapes: [[2, 3]],
      outputs: 24,
      forward: (x) => broadcastRows(x!, [4]),
      reference: (x) => Float64Array.from({ length: 24 }, (_, i) => x![i % 6]!),
    },
    {
      name: 'broadcast one row',
      shapes: [[1, 3]],
      outputs: 18,
      forward: (x) => broadcastRows(x!, [2, 3]),
      reference: (x) => Float64Array.from({ length: 18 }, (_, i) => x![i % 3]!),
    },
    {
      name: 'mean of rows',
      shapes: [[2, 4, 3]],
      outputs: 6,
      forward: (x) => meanRows(x!),
      reference: (x) =>
        Float64Array.from({ length: 6 }, (_, i) => {
          const at = Math.floor(i / 3) * 12 + (i % 3);
          return (x![at]! + x![at + 3]! + x![at + 6]! + x![at + 9]!) / 4;
        }),
    },
    {
      name: 'scale rows',
      shapes: [[4, 3]],
      outputs: 12,
      forward: (x) => scaleRows(x!, { scale: f32([0, 2], [2]), rowsPerScale: 2 }),
      reference: (x) => x!.map((value, i) => (i < 6 ? 0 : 2 * value)),
    },
    {
      name: 'split, change one part, join',
      shapes: [[2, 2, 3, 4], [4], [4]],
      outputs: 48,
      forward: (x, w, b) => {
        const [first, rest] = split(x!, 2, [1, 2]) as [Tensor, Tensor];
        const whole = engine.empty(x!.shape);
        const kept = copyInto(first, whole.slice(2, 0, 1));
        const normed = layerNorm(rest, w!, b!);
        return join(whole, [kept, copyInto(normed, whole.slice(2, 1, 3))]);
      },
      reference: (x, w, b) => {
        const y = plainLayerNorm(x!, w!, b!);
        for (let region = 0; region < 4; region++)
          y.set(x!.subarray(region * 12, region * 12 + 4), region * 12);
        return y;
      },
    },
    {
      name: 'a residual around a view, as in LGI blocks',
      shapes: [
        [2, 3, 4],
        [4, 4],
      ],
      outputs: 24,
      forward: (x, w) => {
        const [first, rest] = split(x!, 1, [1, 2]) as [Tensor, Tensor];
        const whole = engine.empty(x!.shape);
        const mixed = linear(first, w!, { residual: first, into: whole.slice(1, 0, 1) });
        const others = linear(rest, w!, { residual: rest, into: whole.slice(1, 1, 3) });
        return join(whole, [mixed, others]);
      },
      reference: (x, w) => elementwiseSum(x!, plainLinear(x!, w!, undefined, 4)),
    },
    {
      name: 'split with an unused part',
      shapes: [[2, 3, 2]],
      outputs: 4,
      forward: (x) => reshape(copyInto(split(x!, 1, [1, 2])[0]!, engine.empty([2, 1, 2])), [2, 2]),
      reference: (x) => Float64Array.from([x![0]!, x![1]!, x![6]!, x![7]!]),
    },
    {
      name: 'weighted mean-square error',
      shapes: [[4, 6]],
      outputs: 1,
      forward: (x) => meanSquareError(x!, f32([...target], [4, 6]), { appearanceWeight: 0.3 }).loss,
      reference: (x) => {
        let sum = 0;
        x!.forEach(
          (value, i) => (sum += ((i % 6 < 3 ? 0.3 : 0.7) * (value - Math.fround(target[i]!)) ** 2) / 12),
        );
        return Float64Array.from([sum]);
      },
    },
    {
      name: 'soft cross-entropy',
      shapes: [[2, 3]],
      outputs: 1,
      forward: (x) => softCrossEntropy(x!, f32(labels, [2, 3])),
      reference: (x) => {
        let sum = 0;
        for (let b = 0; b < 2; b++) {
          const row = x!.subarray(3 * b, 3 * b + 3);
          const logSum = Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
          row.forEach((value, k) => (sum -= (Math.fround(labels[3 * b + k]!) * (value - logSum)) / 2));
        }
        return Float64Array.from([sum]);
      },
    },
  ];
}

describe('operations', () => {
  const engine = useEngine();

  it('have values and gradients of their float64 references', () =>
    engine().runtime.scope(async () => {
      for (const { name, shapes, outputs, forward, reference } of cases(engine())) {
        const inputs = shapes.map((shape, i) => ({
          shape,
          data: values(
            shape.reduce((a, b) => a * b, 1),
            i + 3,
          ),
        }));
        const result = await gradcheck(engine(), {
          forward,
          reference,
          inputs,
          cotangent: values(outputs, 2),
        });
        expect(result.value, `${name}: value`).toBeLessThan(3e-6);
        result.gradients.forEach((error, i) =>
          expect(error, `${name}: gradient of input ${i}`).toBeLessThan(1e-5),
        );
      }
    }));

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

  it('refuse shapes that do not fit, naming them', () =>
    engine().runtime.scope(() => {
      const x = engine().tensor(new Float32Array(6), [2, 3]);
      const w = engine().tensor(new Float32Array(8), [2, 4]);
      expect(() => linear(x, w)).toThrow(/\[2, 3\].*\[2, 4\]/);
      expect(() => split(x, 1, [1, 1])).toThrow(/1 \+ 1.*\[2, 3\]/);
      expect(() => add(x, w)).toThrow(/\[2, 3\].*\[2, 4\]/);
    }));
});

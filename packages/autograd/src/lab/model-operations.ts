import { createPhiloxKey } from '@tubelet/kernels';
import { addRows, broadcastRows } from '../ops/add-rows.js';
import { attention } from '../ops/attention.js';
import { binaryCrossEntropy, crossEntropy, type CrossEntropyOptions } from '../ops/classification.js';
import { averagePool, convolution, maxPool } from '../ops/convolution.js';
import { dropout, keptByDropout } from '../ops/dropout.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { meanSquareError, softCrossEntropy, twoPartSquareError } from '../ops/losses.js';
import { meanRows } from '../ops/mean-rows.js';
import { mlp } from '../ops/mlp.js';
import { rmsNorm } from '../ops/rms-norm.js';
import { scaleRows } from '../ops/row-scale.js';
import { scaledDotProductAttention } from '../ops/scaled-dot-product-attention.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { copyInto, join, split } from '../ops/views.js';
import { plainAttention, plainGelu, plainLayerNorm, plainLinear } from '../testing/plain.js';
import type { Engine } from '../engine.js';
import type { Tensor } from '../tensor.js';
import type { Example, Operation, Shape } from './operation.js';
import { extents, several } from './shapes.js';
import { plainSoftmax, product, Values, zip } from './values.js';

const add = (...arrays: readonly Values[]) =>
  zip(arrays, (...elements) => elements.reduce((a, b) => a + b, 0));
const f32 = (engine: Engine, { data, shape }: Values) => engine.tensor(Float32Array.from(data), shape);

/** x · wᵀ + b of the last axes. */
function plainLinearOf(x: Values, w: Values, b?: Values): Values {
  const [outputs, inputs] = w.shape as [number, number];
  return new Values([...x.shape.slice(0, -1), outputs], plainLinear(x.data, w.data, b?.data, inputs));
}

const geluOf = (x: Values) => new Values(x.shape, plainGelu(x.data));
const layerNormOf = (x: Values, w: Values, b: Values) =>
  new Values(x.shape, plainLayerNorm(x.data, w.data, b.data));

function softmaxExample(
  forward: typeof softmax,
  shape: Shape,
  axis: number,
  last: (x: number) => number,
): Example {
  return {
    shapes: [shape],
    fill: (random) => 3 * random.normal(),
    forward: ([x]) => forward(x!, { axis }),
    reference: ([x]) => plainSoftmax(x!, axis).map(last),
  };
}

function softmaxRow(
  name: string,
  forward: typeof softmax,
  last: (x: number) => number,
  summary: string,
): Operation {
  return {
    name,
    summary,
    examples: (random) => [
      ...several(2, () => softmaxExample(forward, extents(random, 3), random.integer(3), last)),
      softmaxExample(forward, [2, 70], -1, last),
    ],
    timed: softmaxExample(forward, [64, 101, 101], -1, last),
  };
}

function heads(
  [q, k, v]: readonly [Shape, Shape, Shape],
  options: { readonly causal?: boolean; readonly mask?: Values; readonly scale?: number } = {},
): Example {
  const group = q.at(-3)! / k.at(-3)!;
  const { mask, causal = false, scale = 1 / Math.sqrt(q.at(-1)!) } = options;
  const own = (place: readonly number[]) => [
    ...place.slice(0, -3),
    Math.floor(place.at(-3)! / group),
    ...place.slice(-2),
  ];
  return {
    shapes: [q, k, v],
    forward: ([a, b, c], engine) =>
      scaledDotProductAttention(a!, b!, c!, { ...options, mask: mask && f32(engine, mask) }),
    reference: ([a, b, c]) => {
      const keys = Values.build([...q.slice(0, -2), q.at(-1)!, k.at(-2)!], (place) =>
        b!.at(own([...place.slice(0, -2), place.at(-1)!, place.at(-2)!])),
      );
      const scores = product(a!, keys).map((value) => value * scale);
      const masked = Values.build(scores.shape, (place) =>
        causal && place.at(-1)! > place.at(-2)! ? -1e30 : scores.at(place) + (mask?.at(place) ?? 0),
      );
      const values = Values.build([...q.slice(0, -2), ...v.slice(-2)], (place) => c!.at(own(place)));
      return product(plainSoftmax(masked, -1 + masked.shape.length), values);
    },
  };
}

function convolutionExample(x: Shape, w: Shape, stride: number, padding: number): Example {
  const [batch, channels] = x as [number, number];
  const size = x.slice(2).map((extent, i) => Math.floor((extent + 2 * padding - w[2 + i]!) / stride) + 1);
  return {
    shapes: [x, w, [w[0]!]],
    forward: ([a, b, c]) => convolution(a!, b!, { bias: c!, stride, padding }),
    reference: ([a, b, c]) =>
      Values.build([batch, w[0]!, ...size], ([n, o, ...at]) => {
        let sum = c!.data[o!]!;
        for (const [channel, ...step] of Values.build([channels, ...w.slice(2)], () => 0).places()) {
          const place = step.map((offset, i) => at[i]! * stride + offset - padding);
          if (place.every((index, i) => index >= 0 && index < x[2 + i]!))
            sum += a!.at([n!, channel!, ...place]) * b!.at([o!, channel!, ...step]);
        }
        return sum;
      }),
  };
}

function pooling(
  name: string,
  forward: typeof maxPool,
  pooled: (elements: number[]) => number,
  outside: number,
  summary: string,
): Operation {
  const example = (size: number, stride: number, padding: number): Example => ({
    shapes: [[2, 3, 5, 7]],
    forward: ([x]) => forward(x!, { size: [size, size], stride, padding }),
    reference: ([x]) => {
      const count = (extent: number) => Math.floor((extent + 2 * padding - size) / stride) + 1;
      return Values.build([2, 3, count(5), count(7)], ([b, c, i, j]) =>
        pooled(
          [...Values.build([size, size], () => 0).places()].map(([u, v]) => {
            const [y, z] = [i! * stride + u! - padding, j! * stride + v! - padding];
            return y >= 0 && y < 5 && z >= 0 && z < 7 ? x!.at([b!, c!, y, z]) : outside;
          }),
        ),
      );
    },
  });
  return { name, summary, examples: () => [example(2, 2, 0), example(3, 2, 1)] };
}

function crossEntropyExample(options: CrossEntropyOptions, labels: readonly number[]): Example {
  const { ignoreIndex, reduction = 'mean' } = options;
  const weights = [0.5, 2, 1, 0.1];
  return {
    shapes: [[2, 4, 3]],
    forward: ([x], engine) =>
      crossEntropy(x!, engine.tensor(Int32Array.from(labels), [2, 3]), {
        axis: 1,
        ...options,
        ...(options.weights ? {} : { weights: engine.tensor(Float32Array.from(weights), [4]) }),
      }),
    reference: ([x]) => {
      const y = plainSoftmax(x!, 1);
      const weightOf = (label: number) => (label === ignoreIndex ? 0 : Math.fround(weights[label]!));
      const losses = Values.build([2, 3], ([b, i]) => {
        const label = labels[3 * b! + i!]!;
        return label === ignoreIndex ? 0 : -weightOf(label) * Math.log(y.at([b!, label, i!]));
      });
      if (reduction === 'none') return losses;
      const total = losses.data.reduce((a, b) => a + b, 0);
      const count = reduction === 'sum' ? 1 : labels.reduce((sum, label) => sum + weightOf(label), 0);
      return new Values([], [total / count]);
    },
  };
}

const target = (shape: Shape) =>
  Values.build(shape, (place) => Math.sin(3 + place.reduce((a, b) => 7 * a + b, 0)));
const scalar = (value: number) => new Values([1], [value]);

const labels = new Values([2, 3], [0.7, 0.2, 0.1, 0, 0.5, 0.5]);

/** What models are made of. */
export const modelOperations: readonly Operation[] = [
  softmaxRow('softmax', softmax, (x) => x, 'softmax over an axis'),
  softmaxRow('logSoftmax', logSoftmax, Math.log, 'its logarithm'),
  {
    name: 'layerNorm',
    summary: 'layer norm over the last axis',
    examples: () => [
      {
        shapes: [[5, 8], [8], [8]],
        forward: ([x, w, b]) => layerNorm(x!, w!, b!),
        reference: ([x, w, b]) => layerNormOf(x!, w!, b!),
      },
    ],
    timed: {
      shapes: [[8, 808, 512], [512], [512]],
      forward: ([x, w, b]) => layerNorm(x!, w!, b!),
      reference: ([x, w, b]) => layerNormOf(x!, w!, b!),
    },
  },
  {
    name: 'rmsNorm',
    summary: 'RMS norm over the last axis',
    examples: (random) => {
      const shape = extents(random, 3, 6);
      return [
        {
          shapes: [shape, [shape[2]!]],
          forward: ([x, w]) => rmsNorm(x!, w!),
          reference: ([x, w]) => {
            const meanSquare = x!.reduce(
              [-1],
              (all) => all.reduce((sum, value) => sum + value * value, 0) / all.length,
            );
            return zip(
              [x!, meanSquare, w!],
              (value, square, weight) => (value / Math.sqrt(square + 1e-6)) * weight,
            );
          },
        },
      ];
    },
    timed: {
      shapes: [[8, 808, 512], [512]],
      forward: ([x, w]) => rmsNorm(x!, w!),
      reference: ([x]) => x!,
    },
  },
  {
    name: 'dropout',
    summary: 'elements dropped by Philox numbers',
    examples: () => [
      {
        shapes: [[7, 11]],
        forward: ([x], engine) =>
          dropout(x!, { rate: 0.3, layer: 2, key: createPhiloxKey(engine.runtime, { seed: 5, epoch: 9 }) }),
        reference: ([x]) => {
          const kept = keptByDropout(77, { rate: 0.3, seed: 5, epoch: 9, layer: 2 });
          return new Values(
            x!.shape,
            x!.data.map((value, i) => (kept[i] ? value * Math.fround(1 / 0.7) : 0)),
          );
        },
      },
    ],
    timed: {
      shapes: [[8, 808, 512]],
      forward: ([x], engine) =>
        dropout(x!, { rate: 0.1, layer: 0, key: createPhiloxKey(engine.runtime, { seed: 5 }) }),
      reference: ([x]) => x!,
    },
  },
  {
    name: 'linear',
    summary: 'x · Wᵀ + b, fused with GELU or a residual',
    examples: () => [
      {
        shapes: [[5, 7], [3, 7], [3]],
        forward: ([x, w, b]) => linear(x!, w!, { bias: b! }),
        reference: ([x, w, b]) => plainLinearOf(x!, w!, b!),
      },
      {
        shapes: [[5, 7], [3, 7], [3]],
        forward: ([x, w, b]) => linear(x!, w!, { bias: b!, activation: 'gelu' }),
        reference: ([x, w, b]) => geluOf(plainLinearOf(x!, w!, b!)),
      },
      {
        shapes: [[4, 6], [3, 6], [3], [4, 3]],
        forward: ([x, w, b, r], engine) =>
          linear(x!, w!, {
            bias: b!,
            residual: r!,
            rowScaling: { scale: f32(engine, new Values([2], [0, 1.25])).array, rowsPerScale: 2 },
          }),
        reference: ([x, w, b, r]) =>
          add(
            r!,
            zip([plainLinearOf(x!, w!, b!), new Values([4, 1], [0, 0, 1.25, 1.25])], (a, s) => a * s),
          ),
      },
    ],
    timed: {
      shapes: [[8, 808, 512], [512, 512], [512]],
      forward: ([x, w, b]) => linear(x!, w!, { bias: b! }),
      reference: ([x, w, b]) => plainLinearOf(x!, w!, b!),
    },
  },
  {
    name: 'mlp',
    summary: 'residual + W₂ · GELU(W₁ · x + b₁) + b₂, fused',
    examples: () =>
      [
        [1, 1, 1, 1],
        [2, 0, 1, 0.5],
      ].map((scale, i) => ({
        shapes: [[4, 5], [6, 5], [6], [5, 6], [5], [4, 5]],
        forward: ([x, w1, b1, w2, b2, r], engine) =>
          mlp({
            x: x!,
            fc1Weight: w1!,
            fc1Bias: b1!,
            fc2Weight: w2!,
            fc2Bias: b2!,
            residual: r!,
            rowScaling:
              i === 0 ? undefined : { scale: f32(engine, new Values([4], scale)).array, rowsPerScale: 1 },
          }),
        reference: ([x, w1, b1, w2, b2, r]) => {
          const branch = plainLinearOf(geluOf(plainLinearOf(x!, w1!, b1!)), w2!, b2!);
          return add(
            r!,
            zip([branch, new Values([4, 1], scale)], (a, s) => a * s),
          );
        },
      })),
  },
  {
    name: 'attention',
    summary: 'multi-head attention, fused: no probabilities stored',
    lacks: 'no masks; queries, keys and values lie side by side',
    examples: () => {
      const size = { groups: 2, queries: 3, keys: 4, width: 8, heads: 2 };
      return [
        {
          shapes: [
            [2, 3, 8],
            [2, 4, 16],
          ],
          forward: ([q, kv]) => attention({ q: q!, kv: kv!, heads: 2 }),
          reference: ([q, kv]) => new Values([2, 3, 8], plainAttention(q!.data, kv!.data, size)),
        },
        {
          shapes: [[2, 3, 24]],
          forward: ([qkv]) => attention({ qkv: qkv!, heads: 2 }),
          reference: ([qkv]) => {
            const part = (width: number, start: number) =>
              Values.build([2, 3, width], ([g, i, c]) => qkv!.at([g!, i!, c! + start])).data;
            return new Values([2, 3, 8], plainAttention(part(8, 0), part(16, 8), { ...size, keys: 3 }));
          },
        },
      ];
    },
  },
  {
    name: 'scaledDotProductAttention',
    summary: 'attention with causal and additive masks and grouped heads',
    lacks: 'composed, so that it stores probabilities',
    examples: () => [
      heads([
        [2, 2, 3, 4],
        [2, 2, 5, 4],
        [2, 2, 5, 3],
      ]),
      heads(
        [
          [4, 3, 2],
          [2, 5, 2],
          [2, 5, 2],
        ],
        { causal: true, mask: target([4, 1, 5]), scale: 0.7 },
      ),
    ],
    timed: heads([
      [8, 8, 101, 64],
      [8, 8, 101, 64],
      [8, 8, 101, 64],
    ]),
  },
  {
    name: 'convolution',
    summary: 'cross-correlation along one, two or more axes',
    lacks: 'no groups',
    examples: () => [
      convolutionExample([2, 3, 9], [4, 3, 3], 2, 1),
      convolutionExample([2, 2, 4, 5], [3, 2, 3, 2], 1, 1),
    ],
    timed: convolutionExample([8, 64, 40, 40], [64, 64, 3, 3], 1, 1),
  },
  pooling('maxPool', maxPool, (elements) => Math.max(...elements), -Infinity, 'largest of each window'),
  pooling(
    'averagePool',
    averagePool,
    (all) => all.reduce((a, b) => a + b, 0) / all.length,
    0,
    'mean of each window',
  ),
  {
    name: 'meanSquareError',
    summary: 'mean of (prediction − target)²',
    examples: () => [
      {
        shapes: [
          [3, 5],
          [3, 5],
        ],
        forward: ([a, b]) => meanSquareError(a!, b!),
        reference: ([a, b]) =>
          new Values([], [a!.data.reduce((sum, x, i) => sum + (x - b!.data[i]!) ** 2 / 15, 0)]),
      },
    ],
  },
  {
    name: 'crossEntropy',
    summary: 'cross-entropy of integer labels, weighted, with labels that do not count',
    examples: () => [
      crossEntropyExample({}, [0, 3, 1, 2, 2, 0]),
      crossEntropyExample({ ignoreIndex: -100, reduction: 'mean' }, [0, -100, 1, 2, 2, -100]),
      crossEntropyExample({ ignoreIndex: 2, reduction: 'none' }, [0, 2, 1, 2, 3, 0]),
      crossEntropyExample({ reduction: 'sum' }, [1, 1, 1, 0, 3, 3]),
    ],
  },
  {
    name: 'softCrossEntropy',
    summary: 'cross-entropy of soft labels, fused',
    examples: () => [
      {
        shapes: [[2, 3]],
        forward: ([x], engine) => softCrossEntropy(x!, f32(engine, labels).array),
        reference: ([x]) => {
          const y = plainSoftmax(x!, 1).data;
          return scalar(
            y.reduce((sum, value, i) => sum - (Math.fround(labels.data[i]!) * Math.log(value)) / 2, 0),
          );
        },
      },
    ],
  },
  {
    name: 'binaryCrossEntropy',
    summary: 'cross-entropy of logits and targets from 0 to 1',
    examples: () => [
      {
        shapes: [
          [2, 3],
          [2, 3],
        ],
        forward: ([x, t]) => binaryCrossEntropy(x!, t!),
        reference: ([x, t]) => {
          const losses = zip([x!, t!], (a, b) => Math.log1p(Math.exp(a)) - a * b);
          return new Values([], [losses.data.reduce((a, b) => a + b, 0) / 6]);
        },
      },
    ],
  },
  {
    name: 'twoPartSquareError',
    summary: 'the loss of MAE-DFER: errors of two halves of the columns, weighted',
    examples: () => [
      {
        shapes: [[4, 6]],
        forward: ([x], engine) =>
          twoPartSquareError(x!, f32(engine, target([4, 6])).array, { appearanceWeight: 0.3 }).loss,
        reference: ([x]) => {
          const errors = zip([x!, target([4, 6])], (a, b) => (a - Math.fround(b)) ** 2 / 12);
          return scalar(errors.data.reduce((sum, error, i) => sum + (i % 6 < 3 ? 0.3 : 0.7) * error, 0));
        },
      },
    ],
  },
  {
    name: 'meanRows',
    summary: 'mean over the last axis but one, of strided views',
    examples: () => [
      {
        shapes: [[2, 4, 3]],
        forward: ([x]) => meanRows(x!),
        reference: ([x]) => x!.reduce([1], (all) => all.reduce((a, b) => a + b, 0) / 4).reshape([2, 3]),
      },
    ],
  },
  {
    name: 'scaleRows',
    summary: 'rows times given factors (stochastic depth)',
    examples: () => [
      {
        shapes: [[4, 3]],
        forward: ([x], engine) =>
          scaleRows(x!, { scale: f32(engine, new Values([2], [0, 2])).array, rowsPerScale: 2 }),
        reference: ([x]) => zip([x!, new Values([4, 1], [0, 0, 2, 2])], (a, b) => a * b),
      },
    ],
  },
  {
    name: 'addRows',
    summary: 'rows of a fixed table added',
    examples: () => [
      {
        shapes: [[4, 3]],
        forward: ([x], engine) => {
          const indices = engine.runtime.upload(Uint32Array.of(4, 0, 0, 2), [4]);
          return addRows(x!, { table: f32(engine, target([5, 3])).array, indices });
        },
        reference: ([x]) =>
          Values.build(
            [4, 3],
            ([i, j]) => x!.at([i!, j!]) + Math.fround(target([5, 3]).at([[4, 0, 0, 2][i!]!, j!])),
          ),
      },
    ],
  },
  {
    name: 'broadcastRows',
    summary: 'rows repeated over new leading axes',
    examples: () => [
      {
        shapes: [[2, 3]],
        forward: ([x]) => broadcastRows(x!, [4]),
        reference: ([x]) => Values.build([4, 2, 3], (place) => x!.at(place)),
      },
      {
        shapes: [[1, 3]],
        forward: ([x]) => broadcastRows(x!, [2, 3]),
        reference: ([x]) => Values.build([2, 3, 1, 3], (place) => x!.at(place)),
      },
    ],
  },
  {
    name: 'join',
    summary: 'parts written into one buffer, as free as split',
    examples: () => [
      {
        shapes: [[2, 2, 3, 4], [4], [4]],
        forward: ([x, w, b], engine) => {
          const [first, rest] = split(x!, 2, [1, 2]) as [Tensor, Tensor];
          const whole = engine.empty(x!.shape);
          const kept = copyInto(first, whole.slice(2, 0, 1));
          return join(whole, [kept, copyInto(layerNorm(rest, w!, b!), whole.slice(2, 1, 3))]);
        },
        reference: ([x, w, b]) => {
          const normed = layerNormOf(x!, w!, b!);
          return Values.build(x!.shape, (place) => (place[2] === 0 ? x! : normed).at(place));
        },
      },
      {
        shapes: [
          [2, 3, 4],
          [4, 4],
        ],
        forward: ([x, w], engine) => {
          const [first, rest] = split(x!, 1, [1, 2]) as [Tensor, Tensor];
          const whole = engine.empty(x!.shape);
          const mixed = linear(first, w!, { residual: first, into: whole.slice(1, 0, 1) });
          return join(whole, [mixed, linear(rest, w!, { residual: rest, into: whole.slice(1, 1, 3) })]);
        },
        reference: ([x, w]) => add(x!, plainLinearOf(x!, w!)),
      },
    ],
  },
  {
    name: 'copyInto',
    summary: 'a copy into rows of a larger buffer',
    examples: () => [
      {
        shapes: [[2, 3, 2]],
        // A part that nothing uses has a gradient of zero.
        forward: ([x], engine) => copyInto(split(x!, 1, [1, 2])[0]!, engine.empty([2, 1, 2])),
        reference: ([x]) => Values.build([2, 1, 2], ([i, , k]) => x!.at([i!, 0, k!])),
      },
    ],
  },
];

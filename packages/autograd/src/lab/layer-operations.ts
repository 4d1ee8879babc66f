import { createPhiloxKey } from '@tubelet/kernels';
import { attention } from '../ops/attention.js';
import { dropout, keptByDropout } from '../ops/dropout.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { mlp } from '../ops/mlp.js';
import { rmsNorm } from '../ops/rms-norm.js';
import { scaledDotProductAttention } from '../ops/scaled-dot-product-attention.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { plainAttention, plainGelu } from '../testing/plain.js';
import type { Example, Operation, Shape } from './operation.js';
import { extents, several } from './shapes.js';
import {
  add,
  f32,
  layerNormOf,
  plainLinearOf,
  plainSoftmax,
  product,
  target,
  Values,
  zip,
} from './values.js';

const geluOf = (x: Values) => new Values(x.shape, plainGelu(x.data));

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

/** Layers of a model. */
export const layerOperations: readonly Operation[] = [
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
];

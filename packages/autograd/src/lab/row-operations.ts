import type { Tensor } from '../engine/tensor.js';
import { addRows, broadcastRows } from '../ops/add-rows.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { meanRows } from '../ops/mean-rows.js';
import { scaleRows } from '../ops/row-scale.js';
import { copyInto, join, split } from '../ops/views.js';
import type { Operation } from './operation.js';
import { add, f32, layerNormOf, plainLinearOf, target, Values, zip } from './values.js';

/** Rows of one buffer: of tables, scaled, and views that are joined. */
export const rowOperations: readonly Operation[] = [
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

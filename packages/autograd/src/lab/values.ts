import { broadcastShape } from '@tubelet/kernels';
import type { Engine } from '../engine/engine.js';
import { plainLayerNorm, plainLinear } from '../testing/plain.js';

type Place = readonly number[];

/** An array in float64, for references written the plain way. */
export class Values {
  readonly data: Float64Array;

  constructor(
    readonly shape: Place,
    data: ArrayLike<number>,
  ) {
    this.data = Float64Array.from(data);
  }

  /** The array with `element` of every place. */
  static build(shape: Place, element: (place: number[]) => number): Values {
    return new Values(shape, Array.from(placesOf(shape), element));
  }

  /** The element at a place, of the last axes alone where it has more; axes of extent 1 repeat. */
  at(place: Place): number {
    const skip = place.length - this.shape.length;
    let at = 0;
    this.shape.forEach((extent, axis) => (at = at * extent + (extent === 1 ? 0 : place[skip + axis]!)));
    return this.data[at]!;
  }

  /** All places, row by row. */
  places(): Generator<number[]> {
    return placesOf(this.shape);
  }

  map(element: (value: number) => number): Values {
    return new Values(this.shape, this.data.map(element));
  }

  /** Every place of an axis set to one number by `reduced` of the elements along the axes. */
  reduce(axes: Place, reduced: (elements: number[]) => number): Values {
    const chosen = axes.map((axis) => (axis < 0 ? axis + this.shape.length : axis));
    const kept = this.shape.map((extent, axis) => (chosen.includes(axis) ? 1 : extent));
    const along = this.shape.map((extent, axis) => (chosen.includes(axis) ? extent : 1));
    return Values.build(kept, (place) =>
      reduced([...placesOf(along)].map((step) => this.at(place.map((index, axis) => index + step[axis]!)))),
    );
  }

  reshape(shape: Place): Values {
    return new Values(shape, this.data);
  }
}

/** f of the elements of arrays that broadcast. */
export function zip(arrays: readonly Values[], f: (...elements: number[]) => number): Values {
  const shape = broadcastShape(
    'reference',
    arrays.map((array) => array.shape),
  );
  return Values.build(shape, (place) => f(...arrays.map((array) => array.at(place))));
}

/** a [..., M, K] · b [..., K, N] */
export function product(a: Values, b: Values): Values {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const batch = broadcastShape('reference', [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  return Values.build([...batch, m, n], (place) => {
    const [leading, row, column] = [place.slice(0, -2), place.at(-2)!, place.at(-1)!];
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a.at([...leading, row, i]) * b.at([...leading, i, column]);
    return sum;
  });
}

/** exp(x) / Σ exp(x) along an axis. */
export function plainSoftmax(x: Values, axis: number): Values {
  const largest = x.reduce([axis], (elements) => Math.max(...elements));
  const exponentials = zip([x, largest], (value, most) => Math.exp(value - most));
  const totals = exponentials.reduce([axis], (elements) => elements.reduce((a, b) => a + b, 0));
  return zip([exponentials, totals], (value, total) => value / total);
}

/** All places of a shape, row by row. */
function* placesOf(shape: Place): Generator<number[]> {
  const count = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    let rest = i;
    const place = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield place;
  }
}

/** Their sums, element by element. */
export const add = (...arrays: readonly Values[]) =>
  zip(arrays, (...elements) => elements.reduce((a, b) => a + b, 0));

/** The values on the GPU. */
export const f32 = (engine: Engine, { data, shape }: Values) => engine.tensor(Float32Array.from(data), shape);

/** x · wᵀ + b of the last axes. */
export function plainLinearOf(x: Values, w: Values, b?: Values): Values {
  const [outputs, inputs] = w.shape as [number, number];
  return new Values([...x.shape.slice(0, -1), outputs], plainLinear(x.data, w.data, b?.data, inputs));
}

/** Layer norm over the last axis. */
export const layerNormOf = (x: Values, w: Values, b: Values) =>
  new Values(x.shape, plainLayerNorm(x.data, w.data, b.data));

/** Numbers that differ from place to place. */
export const target = (shape: Place) =>
  Values.build(shape, (place) => Math.sin(3 + place.reduce((a, b) => 7 * a + b, 0)));

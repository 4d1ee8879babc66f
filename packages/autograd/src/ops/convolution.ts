import type { Tensor } from '../engine/tensor.js';
import { linear } from './linear.js';
import { pad, patches, permute, type PatchOptions } from './layout.js';
import { max, mean } from './reductions.js';
import { reshape } from './views.js';

/** How a window moves over the last axes; a number counts for each of them. */
export interface WindowOptions {
  readonly stride?: number | readonly number[];
  /** Elements added on both sides. */
  readonly padding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
}

/** The windows of a convolution, and what is added to its results. */
export interface ConvolutionOptions extends WindowOptions {
  /** [O] */
  readonly bias?: Tensor;
}

/**
 * Cross-correlation of x [B, C, L] with weight [O, C, l], plus the bias: [B, O, L′], or of one axis more, x [B, C, H,
 * W] and weight [O, C, h, w]. By patches side by side and one product.
 *
 * @throws RangeError where shapes do not fit
 */
export function convolution(x: Tensor, weight: Tensor, { bias, ...window }: ConvolutionOptions = {}): Tensor {
  const [outputs, channels, ...size] = weight.shape as [number, number, ...number[]];
  if (weight.shape.length < 3 || x.shape.length !== weight.shape.length || x.shape[1] !== channels) {
    throw new RangeError(
      `convolution: x ${x} and weight ${weight} do not fit; give [B, C, ...] and [O, C, ...] with one or more last axes`,
    );
  }
  const taken = windows('convolution', x, { size, ...window }, 0);
  const places = taken.shape.slice(0, -1 - size.length);
  const rows = reshape(taken, [...places, channels * size.reduce((a, b) => a * b, 1)]);
  return channelsFirst(linear(rows, reshape(weight, [outputs, -1]), bias ? { bias } : {}));
}

/** The windows of a pooling. */
export interface PoolingOptions extends WindowOptions {
  readonly size: readonly number[];
}

/**
 * The largest element of each window, by default of windows side by side: x [B, C, H, W] → [B, C, H′, W′], or with as many
 * last axes as `size` has extents.
 *
 * @throws RangeError for x with other axes, and where no window fits
 */
export function maxPool(x: Tensor, options: PoolingOptions): Tensor {
  const taken = windows('maxPool', x, { ...options, stride: options.stride ?? options.size }, -3.4028234e38);
  return channelsFirst(max(taken, { axes: options.size.map((_, i) => -1 - i) }));
}

/**
 * The mean of each window, by default of windows side by side; added zeros count. x [B, C, H, W] → [B, C, H′, W′], or with
 * as many last axes as `size` has extents.
 *
 * @throws RangeError for x with other axes, and where no window fits
 */
export function averagePool(x: Tensor, options: PoolingOptions): Tensor {
  const taken = windows('averagePool', x, { ...options, stride: options.stride ?? options.size }, 0);
  return channelsFirst(mean(taken, { axes: options.size.map((_, i) => -1 - i) }));
}

/** [B, C, H, W] → [B, H′, W′, C, h, w] */
function windows(
  operation: string,
  x: Tensor,
  { size, stride = 1, padding = 0, dilation = 1 }: PoolingOptions,
  filling: number,
): Tensor {
  if (x.shape.length !== size.length + 2) {
    throw new RangeError(
      `${operation}: a window of [${size.join(', ')}] needs x [B, C, ...] with ${size.length} last axes, got ${x}; reshape it`,
    );
  }
  const each = (name: string, value: number | readonly number[]) => {
    if (typeof value === 'number') return size.map(() => value);
    if (value.length === size.length) return value;
    throw new RangeError(
      `${operation}: ${name} is [${value.join(', ')}]; give a number, or one for each of the ${size.length} axes of the window`,
    );
  };
  const widths = each('padding', padding);
  const padded = widths.some((width) => width !== 0)
    ? pad(
        x,
        [
          ...x.shape.slice(0, -size.length).map(() => [0, 0] as const),
          ...widths.map((width) => [width, width] as const),
        ],
        {
          value: filling,
        },
      )
    : x;
  const options: PatchOptions = {
    size,
    stride: each('stride', stride),
    dilation: each('dilation', dilation),
  };
  return patches(padded, options);
}

/** [B, H, W, C] → [B, C, H, W] */
function channelsFirst(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  return permute(x, [0, last, ...Array.from({ length: last - 1 }, (_, i) => i + 1)]);
}

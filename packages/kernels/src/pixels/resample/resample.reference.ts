import type { PixelLayout } from './resample.js';

/** One axis of a resize as Pillow does it; pixels are words of three bytes. Filters as `filterWords` makes them. */
export function resampleReference(
  source: ArrayLike<number>,
  table: ArrayLike<number>,
  {
    axis,
    from,
    width,
    height,
    filter,
  }: {
    readonly axis: 'rows' | 'columns';
    readonly from: PixelLayout;
    readonly width: number;
    readonly height: number;
    readonly filter: number;
  },
): Float64Array {
  const out = new Float64Array(width * height);
  const taps = table[filter]!;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const weights = filter + 1 + (axis === 'rows' ? x : y) * (taps + 1);
      const first = table[weights]!;
      let word = 0;
      for (let shift = 0; shift < 24; shift += 8) {
        let sum = 2 ** 21;
        for (let k = 0; k < taps; k++) {
          const weight = table[weights + 1 + k]!;
          if (weight === 0) continue;
          const [column, row] = axis === 'rows' ? [first + k, y] : [x, first + k];
          sum += weight * ((source[from.first + column * from.column + row * from.row]! >> shift) & 255);
        }
        word += Math.min(Math.floor(sum / 2 ** 22), 255) * 2 ** shift;
      }
      out[y * width + x] = word;
    }
  }
  return out;
}

import type { AffineMatrix } from './affine.js';

const GREY = 128;
const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);
const channel = (pixel: number, c: number) => (pixel >> (8 * c)) & 255;
const cut = (value: number) => Math.min(Math.max(Math.trunc(value), 0), 255);

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

function cubic(values: readonly number[], d: number): number {
  const [v1, v2, v3, v4] = values as [number, number, number, number];
  const p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (-v1 + v3 + d * (2 * (v1 - v2) + v3 - v4 + d * p4));
}

/** Red, green and blue of a frame seen through a map, in double precision, before they are cut: [height, width, 3]. */
export function exactAffine(frame: ArrayLike<number>, { width, height }: FrameSize, matrix: AffineMatrix) {
  const [a, b, c, d, e, f] = matrix;
  const out = new Float64Array(3 * width * height).fill(GREY);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
    const [sourceX, sourceY] = [a * x + b * y + c, d * x + e * y + f];
    if (!(sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height)) continue;
    const [left, top] = [Math.floor(sourceX - 0.5), Math.floor(sourceY - 0.5)];
    const neighbours = [-1, 0, 1, 2];
    for (let colour = 0; colour < 3; colour++) {
      const rows = neighbours.map((row) => {
        const begin = clamp(top + row, height - 1) * width;
        const values = neighbours.map((column) =>
          channel(frame[begin + clamp(left + column, width - 1)]!, colour),
        );
        return cubic(values, sourceX - 0.5 - left);
      });
      out[3 * i + colour] = cubic(rows, sourceY - 0.5 - top);
    }
  }
  return out;
}

/** Four weights in units of 2⁻²² at a fraction in units of 2⁻³². */
function fixedWeights(d: bigint): number[] {
  const square = (d * d) >> 32n;
  const cube = (square * d) >> 32n;
  const first = Number((2n * square - d - cube + 512n) >> 10n);
  const third = Number(((d >> 1n) + (square >> 1n) - (cube >> 1n) + 256n) >> 9n);
  const fourth = Number((cube - square + 512n) >> 10n);
  return [first, 2 ** 22 - first - third - fourth, third, fourth];
}

/** The pixels of a frame seen through a map, in whole numbers as the kernel reckons. */
export function affineReference(
  frame: ArrayLike<number>,
  { width, height }: FrameSize,
  matrix: AffineMatrix,
): number[] {
  const [a, b, c, d, e, f] = matrix;
  const fixed = (value: number) => BigInt(Math.round(value * 2 ** 32));
  const coordinate = (x: number, y: number, [perColumn, perRow, constant]: readonly number[]) =>
    fixed(constant! + 0.5 * (perColumn! + perRow!) - 0.5) +
    fixed(perColumn!) * BigInt(x) +
    fixed(perRow!) * BigInt(y);
  const half = 2n ** 31n;
  const isStillAlong = a === 1 && b === 0 && c === 0;
  return Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const [u, v] = [coordinate(x, y, [a, b, c]), coordinate(x, y, [d, e, f])];
    const [column, row] = [Number((u + half) >> 32n), Number((v + half) >> 32n)];
    if (column < 0 || column >= width || row < 0 || row >= height) return GREY * 0x010101;
    const at = (across: number, down: number, colour: number) =>
      channel(
        frame[
          clamp(Number(v >> 32n) + down - 1, height - 1) * width +
            clamp(Number(u >> 32n) + across - 1, width - 1)
        ]!,
        colour,
      );
    const along = fixedWeights(u & (2n ** 32n - 1n));
    const down = fixedWeights(v & (2n ** 32n - 1n));
    const [inner, outer] = isStillAlong ? [down, along] : [along, down];
    let word = 0;
    for (let colour = 0; colour < 3; colour++) {
      let [high, middle, low] = [0, 0, 0];
      for (let j = 0; j < 4; j++) {
        const sum = inner.reduce(
          (total, weight, k) => total + weight * (isStillAlong ? at(j, k, colour) : at(k, j, colour)),
          0,
        );
        high += (sum >> 11) * (outer[j]! >> 11);
        middle += (sum >> 14) * (outer[j]! & 2047);
        low += (sum & 2047) * (outer[j]! >> 11);
      }
      word += cut((high + (middle >> 8) + (low >> 11) + 20) / 2 ** 22) * 2 ** (8 * colour);
    }
    return word;
  });
}

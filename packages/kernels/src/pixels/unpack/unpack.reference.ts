import { codedFrameBytes, colourFactors, unpackedStride, type CodedFrame } from './unpack.js';

const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);

/** Red, green and blue of a coded frame before they are rounded and cut: [height, width, 3]. */
export function exactRgb({ width, height, colour }: CodedFrame, bytes: ArrayLike<number>): Float64Array {
  const rgb = new Float64Array(3 * width * height);
  if (colour === undefined) return rgb.map((_, i) => bytes[i]!);
  const [zero, scale, redOfV, greenOfU, greenOfV, blueOfU] = colourFactors(colour);
  const [chromaWidth, chromaHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const chroma = (plane: number, x: number, y: number) => {
    const first = width * height + plane * chromaWidth * chromaHeight;
    const at = (column: number, row: number) =>
      bytes[first + clamp(row, chromaHeight - 1) * chromaWidth + clamp(column, chromaWidth - 1)]!;
    const [column, row] = [x >> 1, y >> 1];
    const [otherColumn, otherRow] = [column + (x % 2 ? 1 : -1), row + (y % 2 ? 1 : -1)];
    const near = 0.75 * at(column, row) + 0.25 * at(otherColumn, row);
    return 0.75 * near + 0.25 * (0.75 * at(column, otherRow) + 0.25 * at(otherColumn, otherRow)) - 128;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const luma = (bytes[y * width + x]! - zero) * scale;
      const [u, v] = [chroma(0, x, y), chroma(1, x, y)];
      rgb.set(
        [luma + redOfV * v, luma + greenOfU * u + greenOfV * v, luma + blueOfU * u],
        3 * (y * width + x),
      );
    }
  }
  return rgb;
}

/** Pixels of frames that lie one behind the other, [frames][height, stride] words. What fills rows up is 0. */
export function unpackReference(frame: CodedFrame, frames: number, bytes: ArrayLike<number>): Float64Array {
  const { width, height, colour } = frame;
  const stride = unpackedStride(width);
  const out = new Float64Array(frames * height * stride);
  const frameBytes = codedFrameBytes(frame);
  // With factors in units of 2⁻¹⁶, as the kernel has them.
  const factors =
    colour && colourFactors(colour).map((factor, i) => (i === 0 ? factor : Math.round(factor * 65536)));
  for (let n = 0; n < frames; n++) {
    const own = Array.from({ length: frameBytes }, (_, i) => bytes[n * frameBytes + i]!);
    const rgb = factors ? fixedPointRgb(frame, factors, own) : exactRgb(frame, own);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [red, green, blue] = [0, 1, 2].map((c) => rgb[3 * (y * width + x) + c]!) as [
          number,
          number,
          number,
        ];
        out[(n * height + y) * stride + x] = red + 256 * green + 65536 * blue;
      }
    }
  }
  return out;
}

function fixedPointRgb(
  frame: CodedFrame,
  factors: readonly number[],
  bytes: ArrayLike<number>,
): Float64Array {
  // Chroma comes in sixteenths: everything is an integer in units of 2⁻²⁰.
  const colour = frame.colour!;
  const exact = colourFactors(colour);
  const [zero, scale, redOfV, greenOfU, greenOfV, blueOfU] = factors as [
    ...[number, number, number, number, number, number],
  ];
  // U and V are found again from blue and red, which each has one of.
  const rgb = exactRgb(frame, bytes);
  const round = (value: number) => clamp(Math.floor((value + 2 ** 19) / 2 ** 20), 255);
  for (let i = 0; i < rgb.length; i += 3) {
    const level = bytes[i / 3]! - zero;
    const luma = level * exact[1]!;
    const v = Math.round(((rgb[i]! - luma) / exact[2]!) * 16);
    const u = Math.round(((rgb[i + 2]! - luma) / exact[5]!) * 16);
    const base = 16 * level * scale;
    rgb[i] = round(base + v * redOfV);
    rgb[i + 1] = round(base + u * greenOfU + v * greenOfV);
    rgb[i + 2] = round(base + u * blueOfU);
  }
  return rgb;
}

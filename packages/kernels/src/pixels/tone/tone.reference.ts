const { fround } = Math;
const cut = (value: number) => Math.min(Math.max(Math.trunc(value), 0), 255);
const channel = (pixel: number, c: number) => Math.floor(pixel / 2 ** (8 * c)) & 255;

/** From one level to another and beyond, in single precision, as Pillow blends: weight 0 gives `from`, 1 `to`. */
export function blended(from: number, to: number, weight: number): number {
  return cut(fround(from + fround(fround(weight) * (to - from))));
}

/** Luma of a pixel (ITU-R BT.601) in Pillow's fixed point. */
export function lumaOf(pixel: number): number {
  const [red, green, blue] = [channel(pixel, 0), channel(pixel, 1), channel(pixel, 2)];
  return Math.floor((19595 * red + 38470 * green + 7471 * blue + 0x8000) / 2 ** 16);
}

/** A frame after one operation, its levels, or blended from its luma or its neighbourhood's mean by `factor`. */
export function toneReference(
  frame: ArrayLike<number>,
  { width, height }: { readonly width: number; readonly height: number },
  operation:
    | { readonly kind: 'levels'; level(of: number, channel: number): number }
    | { readonly kind: 'colour' | 'sharpness'; readonly factor: number },
): number[] {
  const smooth = (x: number, y: number, c: number) => {
    if (x === 0 || y === 0 || x + 1 === width || y + 1 === height) return channel(frame[y * width + x]!, c);
    let sum = 4 * channel(frame[y * width + x]!, c);
    for (let row = y - 1; row <= y + 1; row++) {
      for (let column = x - 1; column <= x + 1; column++) sum += channel(frame[row * width + column]!, c);
    }
    return Math.floor(sum / 13 + 0.5);
  };
  return Array.from({ length: width * height }, (_, i) => {
    const pixel = frame[i]!;
    const made = [0, 1, 2].map((c) => {
      const value = channel(pixel, c);
      if (operation.kind === 'levels') return operation.level(value, c);
      const from = operation.kind === 'colour' ? lumaOf(pixel) : smooth(i % width, Math.floor(i / width), c);
      return blended(from, value, operation.factor);
    });
    return made[0]! + 256 * made[1]! + 65536 * made[2]!;
  });
}

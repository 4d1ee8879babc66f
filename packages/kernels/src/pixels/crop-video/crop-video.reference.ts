import { philox4x32, philoxKey, type StreamPurpose } from '../../philox/philox.js';
import type { Noise } from './crop-video.js';

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Normal number i of the noise, in double precision. */
function noiseNumber(i: number, { key: { seed, epoch, sample }, firstBlock }: Noise, purpose: StreamPurpose) {
  const draw = (number: number) =>
    philox4x32([Math.floor(number / 4), sample, epoch, purpose], philoxKey(seed))[number % 4]! >>> 8;
  const first = 4 * firstBlock + 2 * Math.floor(i / 2);
  const radius = Math.sqrt(-2 * Math.log((draw(first) + 1) * 2 ** -24));
  const angle = 2 * Math.PI * draw(first + 1) * 2 ** -24;
  return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
}

/** A box of the frames of one clip, as a video: [3, T, size, size]. */
export function cropVideoReference(
  frames: readonly ArrayLike<number>[],
  rowPixels: number,
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  { size, mirrored }: { readonly size: number; readonly mirrored: boolean },
  noise: Noise | undefined,
  purpose: StreamPurpose,
): number[] {
  const between = (i: number, length: number) => {
    const place = Math.max(((i + 0.5) * length) / size - 0.5, 0);
    const first = Math.min(Math.floor(place), length - 1);
    return { first, second: Math.min(first + 1, length - 1), weight: place - first };
  };
  return [0, 1, 2].flatMap((channel) =>
    frames.flatMap((pixels, frame) =>
      Array.from({ length: size * size }, (_, i) => {
        const [x, y] = [i % size, Math.floor(i / size)];
        const [column, row] = [x - (noise?.x ?? 0), y - (noise?.y ?? 0)];
        if (noise && column >= 0 && row >= 0 && column < noise.width && row < noise.height) {
          const line = (channel * frames.length + frame) * noise.height + row;
          return noiseNumber(line * noise.width + column, noise, purpose);
        }
        const across = between(mirrored ? size - 1 - x : x, box.width);
        const down = between(y, box.height);
        const at = (dx: number, dy: number) =>
          (pixels[(box.y + dy) * rowPixels + box.x + dx]! >> (8 * channel)) & 255;
        const line = (dy: number) =>
          at(across.first, dy) * (1 - across.weight) + at(across.second, dy) * across.weight;
        const level = line(down.first) * (1 - down.weight) + line(down.second) * down.weight;
        return (level / 255 - MEAN[channel]!) / DEVIATION[channel]!;
      }),
    ),
  );
}

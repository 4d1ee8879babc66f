/** Whole frames as RGB at their own size, and turned squares cut out of them. */
import { codedFrameBytes, colourFactors } from '@tubelet/kernels';
import type { RgbImage } from '../pixels/image-passes.js';
import { shownSize, type CodedFrames } from '../pixels/coded-frames.js';
import { turnFrame } from '../pixels/planes.js';
import type { FaceSquare } from './face.js';

/** One frame of a clip as it is shown; each pixel has the colour of the chroma sample that it shares. */
export function frameToRgb({ bytes, frames }: CodedFrames, index: number): RgbImage {
  const frame = frames[index]!;
  const { offset, colour, rotation } = frame;
  const data = bytes.subarray(offset, offset + codedFrameBytes(frame));
  const { width, height } = shownSize(frame);
  if (colour === undefined) return { pixels: data, width, height };
  const planes = rotation === 0 ? data : turnFrame({ ...frame, data }, rotation).data;
  const [lumaZero, lumaScale, redOfV, greenOfU, greenOfV, blueOfU] = colourFactors(colour);
  const chromaWidth = Math.ceil(width / 2);
  const chromaBegin = width * height;
  const chromaBytes = chromaWidth * Math.ceil(height / 2);
  const pixels = new Uint8ClampedArray(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const chromaRow = chromaBegin + (y >> 1) * chromaWidth;
    for (let x = 0; x < width; x++) {
      const chroma = chromaRow + (x >> 1);
      const brightness = (planes[y * width + x]! - lumaZero) * lumaScale;
      const u = planes[chroma]! - 128;
      const v = planes[chroma + chromaBytes]! - 128;
      pixels[to++] = brightness + redOfV * v;
      pixels[to++] = brightness + greenOfU * u + greenOfV * v;
      pixels[to++] = brightness + blueOfU * u;
    }
  }
  return { pixels: new Uint8Array(pixels.buffer), width, height };
}

/**
 * A turned square of an image, upright: [size, size, 3]. Each pixel is the mean of as many samples each way as source
 * pixels lie under it, taken between the four nearest; what lies outside of the image is black.
 */
export function cutSquare(
  { pixels, width, height }: RgbImage,
  { x, y, side, roll }: FaceSquare,
  size: number,
): Uint8Array {
  const samples = Math.max(1, Math.round(side / size));
  const step = side / (size * samples);
  const [cos, sin] = [Math.cos(roll) * step, Math.sin(roll) * step];
  const half = (size * samples - 1) / 2;
  const target = new Uint8Array(3 * size * size);
  const share = 1 / samples ** 2;
  for (let row = 0, to = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let [red, green, blue] = [0, 0, 0];
      for (let n = 0; n < samples; n++) {
        const down = row * samples + n - half;
        for (let m = 0; m < samples; m++) {
          const across = column * samples + m - half;
          // Pixels are squares: their middles lie half a pixel from their corners.
          const sourceX = x + cos * across - sin * down - 0.5;
          const sourceY = y + sin * across + cos * down - 0.5;
          if (sourceX < -0.5 || sourceY < -0.5 || sourceX > width - 0.5 || sourceY > height - 0.5) continue;
          const left = Math.min(Math.max(Math.floor(sourceX), 0), Math.max(width - 2, 0));
          const top = Math.min(Math.max(Math.floor(sourceY), 0), Math.max(height - 2, 0));
          const u = Math.min(Math.max(sourceX - left, 0), 1);
          const v = Math.min(Math.max(sourceY - top, 0), 1);
          const a = 3 * (top * width + left);
          const b = width > 1 ? a + 3 : a;
          const c = height > 1 ? a + 3 * width : a;
          const d = c + (b - a);
          const [wa, wb, wc, wd] = [(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v];
          red += pixels[a]! * wa + pixels[b]! * wb + pixels[c]! * wc + pixels[d]! * wd;
          green += pixels[a + 1]! * wa + pixels[b + 1]! * wb + pixels[c + 1]! * wc + pixels[d + 1]! * wd;
          blue += pixels[a + 2]! * wa + pixels[b + 2]! * wb + pixels[c + 2]! * wc + pixels[d + 2]! * wd;
        }
      }
      target[to++] = Math.round(red * share);
      target[to++] = Math.round(green * share);
      target[to++] = Math.round(blue * share);
    }
  }
  return target;
}

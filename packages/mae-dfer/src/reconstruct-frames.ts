/** From predicted cubes to frames. Everything here is on the host. */
import type { ClipConfig } from './config.js';
import type { TargetKind } from './targets.js';

/** Grey of masked cubes, and of no difference. */
const GREY = 128;
const WHITE = 255;

/** Predictions for the masked cubes of one clip, with what turns them back into pixels. */
export interface PredictedCubes {
  /** [n]: tokens p = (t·rows + row)·columns + column of the cube grid. */
  readonly masked: Uint32Array;
  /** [n, frames of a cube, patch, patch, 3], normalised: frame 0, and the others or their difference to it. */
  readonly prediction: Float32Array;
  /** [n, 3]: mean of each channel in a cube, white being 1. */
  readonly mean: Float32Array;
  /** [n, 3]: deviation of each channel in a cube, on the same scale. */
  readonly deviation: Float32Array;
}

/** Both ways to show a reconstruction; arrays are [T, H, W, 3]. */
export interface ReconstructedFrames {
  /** First frame of a cube: appearance. Its other frames: their difference to the first, on a grey ground. Of pixels: the clip. */
  readonly parts: Uint8ClampedArray;
  /** The video. */
  readonly whole: Uint8ClampedArray;
}

/** A copy of `frames` [T, H, W, 3] in which the masked cubes are grey. */
export function maskFrames(frames: Uint8Array, masked: Uint32Array, clip: ClipConfig): Uint8ClampedArray {
  requireClipBytes(frames, clip);
  const result = Uint8ClampedArray.from(frames);
  forEachPixel(masked, clip, (pixel) => result.fill(GREY, pixel, pixel + 3));
  return result;
}

/**
 * The clip with its masked cubes replaced by predictions; visible cubes stay as they are. Normalisation is undone as
 * frame 0 = ŷ₀ · σ + μ and, of differences, frame k = (ŷ₀ + ŷ_k) · σ + μ (Sun et al., “MAE-DFER”, ACM MM 2023).
 *
 * @param frames [T, H, W, 3]
 */
export function reconstructFrames(
  frames: Uint8Array,
  { masked, prediction, mean, deviation }: PredictedCubes,
  clip: ClipConfig,
  kind: TargetKind,
): ReconstructedFrames {
  requireClipBytes(frames, clip);
  const frameLength = clip.patchSize ** 2 * 3;
  const cubeLength = clip.tubeletSize * frameLength;
  requireLength('prediction', prediction, masked.length * cubeLength);
  requireLength('mean', mean, masked.length * 3);
  requireLength('deviation', deviation, masked.length * 3);
  const parts = Uint8ClampedArray.from(frames);
  const whole = Uint8ClampedArray.from(frames);
  forEachPixel(masked, clip, (pixel, cube, frame, place) => {
    for (let channel = 0; channel < 3; channel++) {
      const first = cube * cubeLength + place * 3 + channel;
      const scale = deviation[cube * 3 + channel]! * WHITE;
      const center = mean[cube * 3 + channel]! * WHITE;
      const predicted = prediction[first + frame * frameLength]! * scale;
      if (kind === 'pixels') {
        whole[pixel + channel] = predicted + center;
        continue;
      }
      const appearance = prediction[first]! * scale + center;
      const motion = frame === 0 ? 0 : predicted;
      parts[pixel + channel] = frame === 0 ? appearance : GREY + motion;
      whole[pixel + channel] = appearance + motion;
    }
  });
  return { parts, whole };
}

/**
 * Calls `visit` for every pixel of the named cubes with its index in [T, H, W, 3], the position of the cube in
 * `tokens`, the frame in the cube and the place in the patch (row · patch + column).
 */
function forEachPixel(
  tokens: Uint32Array,
  { frames, imageSize, tubeletSize, patchSize }: ClipConfig,
  visit: (pixel: number, cube: number, frame: number, place: number) => void,
): void {
  const columns = imageSize / patchSize;
  const tokenCount = (frames / tubeletSize) * columns ** 2;
  tokens.forEach((token, cube) => {
    if (token >= tokenCount) throw new RangeError(`token ${token} is not one of the clip's ${tokenCount}`);
    const slot = Math.floor(token / columns ** 2);
    const top = (Math.floor(token / columns) % columns) * patchSize;
    const left = (token % columns) * patchSize;
    for (let frame = 0; frame < tubeletSize; frame++) {
      for (let y = 0; y < patchSize; y++) {
        const line = (slot * tubeletSize + frame) * imageSize + top + y;
        for (let x = 0; x < patchSize; x++) {
          visit((line * imageSize + left + x) * 3, cube, frame, y * patchSize + x);
        }
      }
    }
  });
}

function requireClipBytes(frames: Uint8Array, clip: ClipConfig): void {
  requireLength('frames', frames, clip.frames * clip.imageSize ** 2 * 3);
}

function requireLength(name: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length)
    throw new RangeError(`${name} has ${values.length} values instead of ${length}`);
}

/** Frames of a clip as pixels. */
import sharp from 'sharp';
import type { Clip } from './clip.js';
import { clipPicture } from './drawing/picture.js';
import { FaceRandom } from './random.js';

/** Pictures are drawn in pieces of at most this height: one call for many frames, within what the renderer takes. */
const PICTURE_HEIGHT_LIMIT = 8192;

/** A prime, so that frames which begin at different places never show the same stretch of noise side by side. */
const NOISE_LENGTH = 65_521;

let noise: { seed: number; values: Float32Array } | undefined;

/** Standard normal values, drawn once for all clips of a seed: each frame begins at a place of its own. */
function noiseOf(seed: number): Float32Array {
  if (noise?.seed !== seed) {
    const random = new FaceRandom(seed, 'noise', 0);
    noise = { seed, values: Float32Array.from({ length: NOISE_LENGTH }, () => random.normal()) };
  }
  return noise.values;
}

/** Exposure and tint of the camera, and its noise, which is of brightness alone. Changes `frames` [T, size, size, 3]. */
function photograph(frames: Uint8Array, clip: Clip, size: number): void {
  const { key, scene } = clip;
  const values = noiseOf(key.seed);
  const [red, green, blue] = scene.tint;
  const [pixelsPerFrame, level] = [size * size, scene.noiseLevel];
  const clamped = new Uint8ClampedArray(frames.buffer, frames.byteOffset, frames.length);
  const random = new FaceRandom(key.seed, 'noise', 1 + key.clip);
  const starts = clip.frames.map(() => random.below(NOISE_LENGTH));
  clip.frames.forEach(({ drawn }, frame) => {
    // Clips that run backwards carry the noise of their frames along.
    let at = starts[drawn] as number;
    for (let i = frame * pixelsPerFrame * 3; i < (frame + 1) * pixelsPerFrame * 3; i += 3) {
      const grain = level * (values[at] as number);
      at = at + 1 === NOISE_LENGTH ? 0 : at + 1;
      clamped[i] = (clamped[i] as number) * red + grain;
      clamped[i + 1] = (clamped[i + 1] as number) * green + grain;
      clamped[i + 2] = (clamped[i + 2] as number) * blue + grain;
    }
  });
}

/**
 * Draws a clip.
 *
 * @param size edge of the frames in pixels
 * @returns [T, size, size, 3], RGB
 */
export async function renderClip(clip: Clip, size: number): Promise<Uint8Array> {
  const frameBytes = size * size * 3;
  const frames = new Uint8Array(clip.frames.length * frameBytes);
  // In the order of drawing: where in a picture a frame lies can change how its pixels are rounded.
  const order = clip.frames.map((state, shown) => ({ state, shown }));
  order.sort((a, b) => a.state.drawn - b.state.drawn);
  const atOnce = Math.max(1, Math.floor(PICTURE_HEIGHT_LIMIT / size));
  for (let first = 0; first < order.length; first += atOnce) {
    const part = order.slice(first, first + atOnce);
    const states = part.map(({ state }) => state);
    const picture = Buffer.from(clipPicture(clip, states, size));
    const pixels = await sharp(picture).flatten().toColourspace('srgb').raw().toBuffer();
    part.forEach(({ shown }, row) => {
      frames.set(pixels.subarray(row * frameBytes, (row + 1) * frameBytes), shown * frameBytes);
    });
  }
  photograph(frames, clip, size);
  return frames;
}

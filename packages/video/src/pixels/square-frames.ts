import type { Runtime } from '@tubelet/kernels';
import { ClipPixels } from './clip-pixels.js';
import type { CodedFrames } from './coded-frames.js';

/** The frames of one clip as a model sees them, for what has no model to show them to: [T, size, size, 3], RGB. */
export async function squareFrames(runtime: Runtime, clip: CodedFrames, size: number): Promise<Uint8Array> {
  const pixels = new ClipPixels(runtime, size);
  try {
    return new Uint8Array(await runtime.readBytes(pixels.frames([clip])));
  } finally {
    pixels.release();
  }
}

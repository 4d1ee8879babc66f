/** Decoded clips to the tensors that models take, on the GPU. */
import { packFrames, type GpuArray, type Runtime } from '@tubelet/kernels';
import type { Box } from './resize.js';
import { inParts, KeptArrays } from './clip-parts.js';
import { requireAlike, type CodedFrames } from './coded-frames.js';
import { greatest, SquarePixels, upright, type Image } from './square-pixels.js';

/**
 * Makes frames of decoded clips: brought to a square as `SquarePixels` does it, a crop resized to the whole in the same
 * way. Everything is whole numbers: the same bytes on every device.
 *
 * What a call gives is overwritten by the next call for as many clips.
 */
export class ClipPixels {
  private readonly squares: SquarePixels;
  private readonly outputs: KeptArrays;

  /** @param size edge of the square frames in pixels, a multiple of 4 */
  constructor(
    private readonly runtime: Runtime,
    readonly size: number,
  ) {
    this.squares = new SquarePixels(runtime, size);
    this.outputs = new KeptArrays(runtime, 'u8', 'frames');
  }

  /**
   * Frames of clips that are equally long.
   *
   * @param boxes of each clip, the part of its square frames that is to fill them; undefined for the whole.
   * @returns u8 [B, T, size, size, 3].
   * @throws RangeError for others
   */
  frames(clips: readonly CodedFrames[], boxes: readonly (Box | undefined)[] = []): GpuArray {
    const { runtime, squares, size } = this;
    const length = requireAlike(clips);
    const out = this.outputs.ofShape([clips.length, length, size, size, 3]);
    const clipWords = greatest(clips.map((clip) => squares.words(clip)));
    inParts(runtime, clips.length, clipWords, (begin, end) => {
      const ownBoxes = boxes.slice(begin, end);
      let pixels = runtime.empty([(end - begin) * length * size * size], 'u32', 'pixels');
      squares.fill(pixels, clips.slice(begin, end));
      if (ownBoxes.some((box) => box !== undefined)) pixels = this.cropped(pixels, ownBoxes, length);
      packFrames(runtime, { pixels, frames: out.slice(0, begin, end) });
    });
    squares.tidy();
    return out;
  }

  /** Gives the memory back; what the calls gave must not be used any more. */
  release(): void {
    this.outputs.release();
    this.squares.release();
  }

  /** Cuts a box out of all frames of each clip and resizes it to the whole. */
  private cropped(pixels: GpuArray, boxes: readonly (Box | undefined)[], length: number): GpuArray {
    const { runtime, size } = this;
    const cropped = runtime.empty([pixels.size], 'u32', 'cropped pixels');
    const whole: Box = { x: 0, y: 0, width: size, height: size };
    const images = boxes.flatMap((box = whole, clip) =>
      Array.from({ length }, (_, frame): Image => {
        const first = ((clip * length + frame) * size + box.y) * size + box.x;
        return { width: box.width, height: box.height, layout: upright(first, size) };
      }),
    );
    this.squares.resize(pixels, images, cropped);
    return cropped;
  }
}

/** Decoded clips to the augmented videos that a classifier is fine-tuned on, on the GPU. */
import {
  cropRecord,
  cropVideo,
  mixClips,
  neighbourWords,
  type GpuArray,
  type Mix,
  type Runtime,
} from '@tubelet/kernels';
import { Purpose } from '../stream-purposes.js';
import type { Augmentation } from '../transforms/augmentation.js';
import { NO_MIX } from '../transforms/mixup.js';
import { planAugment, runAugment } from './augment-pixels.js';
import { BatchTable } from './batch-table.js';
import { inParts, KeptArrays } from './clip-parts.js';
import { requireAlike, type CodedFrames } from './coded-frames.js';
import { greatest, SquarePixels, uploadJobs } from './square-pixels.js';

/** A batch of clips, and what is to become of it. */
export interface TrainingClips {
  readonly clips: readonly CodedFrames[];
  readonly augmentations: readonly Augmentation[];
  readonly mix: Mix;
}

/**
 * Makes normalised videos of decoded clips: brought to a square as `SquarePixels` does it, augmented, cropped and
 * resized, mirrored, erased and mixed. Up to the crop everything is whole numbers.
 *
 * What a call gives is overwritten by the next call for as many clips.
 */
export class TrainingPixels {
  private readonly squares: SquarePixels;
  private readonly outputs: KeptArrays;

  /** @param size edge of the frames in pixels, a multiple of 4 */
  constructor(
    private readonly runtime: Runtime,
    readonly size: number,
  ) {
    this.squares = new SquarePixels(runtime, size);
    this.outputs = new KeptArrays(runtime, 'f32', 'training video');
  }

  /**
   * Videos of clips that are equally long, f32 [B, 3, T, size, size].
   *
   * @throws RangeError for others, and where an augmentation is missing; ShapeError for an odd batch that is to be
   *   mixed
   */
  video({ clips, augmentations, mix }: TrainingClips): GpuArray {
    const { runtime, size, squares } = this;
    const length = requireAlike(clips);
    if (augmentations.length !== clips.length) {
      throw new RangeError(`${augmentations.length} augmentations for ${clips.length} clips: give one each.`);
    }
    const out = this.outputs.ofShape([clips.length, 3, length, size, size]);
    // Pixels are worked on in two halves of an array.
    const clipWords = 2 * greatest(clips.map((clip) => squares.words(clip)));
    inParts(runtime, clips.length, clipWords, (begin, end) =>
      this.part(clips.slice(begin, end), augmentations.slice(begin, end), out.slice(0, begin, end)),
    );
    squares.tidy();
    if (mix.lambda !== NO_MIX.lambda) mixClips(runtime, out, mix);
    return out;
  }

  /** Gives the memory back; what the calls gave must not be used any more. */
  release(): void {
    this.outputs.release();
    this.squares.release();
  }

  private part(clips: readonly CodedFrames[], augmentations: readonly Augmentation[], video: GpuArray): void {
    const { runtime, size } = this;
    const frames = clips[0]!.frames.length;
    const shape = { frames, width: size, height: size };
    const table = new BatchTable();
    const plan = planAugment(
      augmentations.map(({ operations }) => operations),
      shape,
      table,
    );
    const records = augmentations.flatMap(({ crop, mirrored, noise }, clip) => {
      const neighbours = (length: number, isMirrored: boolean) =>
        table.add(`${length} mirrored ${isMirrored}`, () => neighbourWords(length, size, isMirrored));
      const tables = { columns: neighbours(crop.width, mirrored), rows: neighbours(crop.height, false) };
      return Array.from({ length: frames }, (_, frame) => {
        const source = plan.places[clip]! + (frame * size + crop.y) * size + crop.x;
        return cropRecord({ ...shape, ...tables, source, clip, frame, noise });
      });
    });
    const uploaded = table.upload(runtime);
    const halves = plan.passes.length > 0 ? 2 : 1;
    const pixels = runtime.empty([halves * clips.length * frames * size * size], 'u32', 'pixels');
    this.squares.fill(pixels, clips);
    runAugment(runtime, plan, pixels, shape, uploaded);
    const jobs = uploadJobs(runtime, records);
    const purpose = Purpose.erase;
    cropVideo(runtime, { pixels, rowPixels: size, jobs, table: uploaded, video, purpose });
  }
}

import type { PretrainingConfig, PretrainingModel } from '@tubelet/mae-dfer';
import { inFullPrecision } from '@tubelet/trainer';
import { squareFrames, type CodedFrames } from '@tubelet/video';
import { encodePng } from '../reconstruct/picture-file.js';
import { readShownClip } from '../reconstruct/reconstruct.js';
import { reconstructionPicture } from '../reconstruct/reconstruction.js';
import type { TrainOptions } from './train-options.js';

/** A clip that is not trained on, whose reconstruction shows from time to time what a model has learnt. */
export class WatchedClip {
  private constructor(
    private readonly clip: CodedFrames,
    private readonly options: TrainOptions,
  ) {}

  /**
   * Reads a clip of a video.
   *
   * @throws VideoDecodeError
   */
  static async open(
    video: string,
    options: TrainOptions,
    { encoder }: PretrainingConfig,
  ): Promise<WatchedClip> {
    const { frameStep, crop, startSeconds = 0 } = options;
    const { frames } = await readShownClip(video, encoder, { frameStep, crop, startSeconds });
    return new WatchedClip(frames, options);
  }

  /** Masked as in training, always in the same places; the bytes of a PNG. */
  async picture(model: PretrainingModel): Promise<Uint8Array> {
    const { maskRatio, seed } = this.options;
    const { runtime } = model.engine;
    const frames = await squareFrames(runtime, this.clip, model.config.encoder.imageSize);
    const { picture } = await inFullPrecision(runtime, () =>
      reconstructionPicture(model, frames, { maskRatios: [maskRatio], maskType: 'window', seed }),
    );
    return encodePng(picture);
  }
}

import type { PretrainingConfig } from '@tubelet/mae-dfer';
import { openLoader, type BadFiles, type Task, type TaskData, type Trainable } from '@tubelet/trainer';
import { blankClips, ClipLoader, type ClipBatch } from '@tubelet/video';
import manifest from '../../package.json' with { type: 'json' };
import { loadStartingWeights } from './starting-weights.js';
import { TrainingState } from './training-state.js';
import { WatchedClip } from './watched-clip.js';
import type { FoundVideos } from '../shared/sources.js';
import { videosFingerprint, withinTime } from './train-data.js';
import { bindingSettings, type TrainOptions } from './train-options.js';

/**
 * The training that the options describe, without its data.
 *
 * @param shownCrop the crop that its checkpoints tell, by which another video is framed as the clips are
 */
export function trainable(
  options: TrainOptions,
  config: PretrainingConfig,
  shownCrop = options.crop,
): Trainable<ClipBatch, TrainingState> {
  const { frames, imageSize } = config.encoder;
  return {
    options,
    createModel: (runtime) => new TrainingState(runtime, config, { ...options, crop: shownCrop }),
    emptyBatch: (batchSize) => ({
      clips: blankClips(batchSize, frames, imageSize),
      boxes: Array.from({ length: batchSize }, () => ({
        x: 0,
        y: 0,
        width: imageSize / 2,
        height: imageSize,
      })),
      sampleIndices: Uint32Array.from({ length: batchSize }, (_, i) => i),
      ...{ names: [], labels: [], frameIndices: [], epoch: 0, step: 0 },
    }),
  };
}

/** The whole training of a masked autoencoder on videos. */
export async function pretraining(
  found: FoundVideos,
  asked: TrainOptions,
  config: PretrainingConfig,
  commandLine: readonly string[],
): Promise<Task<ClipBatch, TrainingState>> {
  const options = { ...asked, crop: found.crop };
  const { watch, from } = options;
  const { shownCrop } = found;
  const watched =
    watch === undefined ? undefined : await WatchedClip.open(watch, { ...options, crop: shownCrop }, config);
  return {
    ...trainable(options, config, shownCrop),
    program: 'pretrain',
    version: manifest.version,
    commandLine,
    saveEveryEpochs: 10,
    moreBatches: ', or raise --clips-per-video',
    openData: (badFiles) => Promise.resolve(openData(found, options, config, badFiles)),
    loadFirstWeights: from === undefined ? undefined : (model) => loadStartingWeights(from, model),
    announcements: ({ loader, stepsPerEpoch }) => [
      ...found.notes,
      `samples: ${loader.sampleCount}, steps an epoch: ${stepsPerEpoch}`,
    ],
    endEpoch:
      watched &&
      (async ({ model }, epoch, { run, stepsPerEpoch }) => {
        const isLast = epoch + 1 === options.epochs;
        if (!isLast && (epoch + 1) % options.watchEvery !== 0) return undefined;
        const png = await watched.picture(model);
        run.tensorBoard.addImage((epoch + 1) * stepsPerEpoch, 'reconstruction', png);
        return undefined;
      }),
  };
}

function openData(
  { sources, entries, skipped }: FoundVideos,
  options: TrainOptions,
  config: PretrainingConfig,
  badFiles: BadFiles,
): TaskData<ClipBatch> {
  badFiles.leaveOut(skipped);
  const videos = withinTime(entries, options);
  return {
    settings: bindingSettings(options, config, videosFingerprint(videos)),
    description: { sources },
    openLoader: (share) =>
      openLoader(options, badFiles, share, (shared) =>
        ClipLoader.open({
          ...shared,
          entries: videos,
          size: options.imageSize,
          frames: options.frames,
          augmentation: options.augmentation,
          clipsPerVideo: options.clipsPerVideo,
          segmentSeconds: options.segmentSeconds,
          clipsPerStep: options.batchSize * options.accumulate * share.ranks,
        }),
      ),
  };
}

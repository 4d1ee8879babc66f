import type { PretrainingConfig } from '@tubelet/mae-dfer';
import { endless, EpochReader, type BeginTraining } from '@tubelet/programs';
import type { ClipBatch } from '@tubelet/video';
import type { TrainOptions } from './train-settings.js';
import { trainingStep } from './train-step.js';
import { TrainingState } from './training-state.js';

/** The training that the options describe, on black clips: the steps are those of a run. */
export function dryTraining(options: TrainOptions, config: PretrainingConfig): BeginTraining {
  return (runtime, batchSize) => {
    const training = new TrainingState(runtime, config, options);
    const { frames, imageSize } = config.encoder;
    const batch: ClipBatch = {
      frames: new Uint8Array(batchSize * frames * imageSize * imageSize * 3),
      sampleIndices: Uint32Array.from({ length: batchSize }, (_, i) => i),
      names: [],
      labels: [],
      frameIndices: [],
      epoch: 0,
      step: 0,
    };
    const batches = new EpochReader(endless(batch), options.accumulate);
    const takeStep = trainingStep(training, batches, options);
    return {
      store: training.model.store,
      inputBytes: batch.frames.byteLength,
      step: (position) => takeStep(position, 0),
    };
  };
}

import type { ClassifierConfig } from '@tubelet/mae-dfer';
import { endless, EpochReader, type BeginTraining } from '@tubelet/programs';
import type { LabelledClipBatch } from '@tubelet/video';
import type { RunOptions } from './train-options.js';
import { trainingStep } from './train-step.js';
import { ClassifierTraining } from './training-state.js';

/** The training that the options describe, on clips and targets of zeros: the steps are those of a run. */
export function dryTraining(options: RunOptions, model: ClassifierConfig): BeginTraining {
  return (runtime, batchSize) => {
    const { frameStep, crop, data } = options;
    const description = { model, classNames: [], clips: { frameStep, crop }, data: { name: data, fold: 1 } };
    const training = new ClassifierTraining(runtime, description, options);
    training.startAverage();
    const { frames, imageSize } = model.encoder;
    const batch: LabelledClipBatch = {
      video: new Float32Array(batchSize * 3 * frames * imageSize * imageSize),
      targets: new Float32Array(batchSize * model.classes),
      labels: new Uint32Array(batchSize),
      sampleIndices: Uint32Array.from({ length: batchSize }, (_, i) => i),
      names: [],
      frameIndices: [],
      epoch: 0,
      step: 0,
    };
    const batches = new EpochReader(endless(batch), options.accumulate);
    const takeStep = trainingStep(training, batches, options);
    return {
      store: training.classifier.store,
      inputBytes: batch.video.byteLength + batch.targets.byteLength,
      step: (position) => takeStep(position, 0),
    };
  };
}

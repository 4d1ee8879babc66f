import { loadStateDict } from '@tubelet/autograd';
import type { Communicator } from '@tubelet/mpi';
import { evaluationOf, shareContent, type Evaluation } from '@tubelet/trainer';
import { bestCheckpointPath } from '../shared/best-epoch.js';
import { readClassifierFile } from '../classifier/classifier-file.js';
import type { VideosEvaluation } from '../evaluate/evaluate.js';
import type { RunOptions } from './train-options.js';
import type { ClassifierTraining } from './training-state.js';

/** What there is to test. */
export interface TestSubject {
  readonly dataset: { readonly title: string };
  readonly fold: number;
  readonly options: RunOptions;
}

/**
 * Tests the classifier of a finished run: the weights of its last epoch or, with `--test-of best`, those of the best
 * validation, which then stay in the classifier.
 *
 * @param lastCheckpoint the checkpoint of the last step
 * @param score scores the test part with the classifier as it is
 * @param ranks share the test; the first reads the weights
 */
export async function testRun(
  training: ClassifierTraining,
  lastCheckpoint: string,
  { dataset, fold, options }: TestSubject,
  score: () => Promise<VideosEvaluation>,
  ranks: Communicator,
): Promise<Evaluation> {
  const isBest = options.testOf === 'best';
  const checkpoint = isBest ? bestCheckpointPath(options.out) : lastCheckpoint;
  let scored: VideosEvaluation;
  if (isBest) {
    const read = async () => ({ tensors: (await readClassifierFile(checkpoint)).weights, metadata: {} });
    const { tensors } = await shareContent(ranks, ranks.rank === 0 ? await read() : undefined);
    loadStateDict(training.classifier.store, tensors);
    scored = await score();
  } else {
    scored = await training.withFinalWeights(score);
  }
  const subject = {
    dataset: dataset.title,
    fold,
    part: 'test',
    checkpoint,
    clipsPerVideo: options.clips,
    classNames: training.description.classNames,
    leftOut: scored.leftOut,
  };
  return evaluationOf(subject, scored.scores);
}

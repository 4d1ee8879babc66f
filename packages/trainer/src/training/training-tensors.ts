import {
  readStateDict,
  type AdamW,
  type ExponentialMovingAverage,
  type LossScale,
  type LossScaleState,
  type ParameterStore,
} from '@tubelet/autograd';
import type { SafetensorsTensor } from '@tubelet/autograd/formats';
import { CheckpointCorruptError } from '../formats/checkpoint-errors.js';
import { requireTensors, type CheckpointContent } from '../formats/checkpoint.js';

const FIRST_MOMENT = 'exp_avg.';
const SECOND_MOMENT = 'exp_avg_sq.';
const TRAINED = 'trained.';
const STEP_KEY = 'tubelet.step';
const LOSS_SCALE_KEY = 'tubelet.loss-scale';

/** What training changes. */
export interface TrainedParts {
  readonly store: ParameterStore;
  readonly optimiser: AdamW;
  readonly average?: ExponentialMovingAverage | undefined;
  /** That of the optimiser; in f32 a constant one. */
  readonly lossScale: LossScale;
}

/** Tensors that only training needs have one of these in front of their parameter's name. */
const TRAINING_PREFIXES = [FIRST_MOMENT, SECOND_MOMENT, TRAINED] as const;

/** The weights of a checkpoint, without what only training needs. */
export function checkpointWeights({
  tensors,
}: Pick<CheckpointContent, 'tensors'>): Map<string, SafetensorsTensor> {
  return new Map(
    [...tensors].filter(([name]) => !TRAINING_PREFIXES.some((prefix) => name.startsWith(prefix))),
  );
}

/** The steps after which a checkpoint was written; NaN where it does not say. */
export function checkpointStep({ metadata }: Pick<CheckpointContent, 'metadata'>): number {
  const step = Number(metadata[STEP_KEY] ?? NaN);
  return Number.isSafeInteger(step) && step >= 0 ? step : NaN;
}

/**
 * A checkpoint of a training: the weights under their published names (with an average, the averaged ones, and the
 * trained ones as `trained.…`), AdamW's moments as `exp_avg.…` and `exp_avg_sq.…`, the number of steps, and the
 * state of the loss scale.
 */
export async function readTraining(
  { store, optimiser, average, lossScale }: TrainedParts,
  completedSteps: number,
  metadata: Readonly<Record<string, string>>,
): Promise<CheckpointContent> {
  const trained = await readStateDict(store);
  const shapes = new Map([...trained].map(([name, { shape }]) => [name, shape]));
  const tensors = new Map<string, SafetensorsTensor>();
  const put = (prefix: string, name: string, data: Float32Array) =>
    void tensors.set(prefix + name, { dtype: 'F32', shape: shapes.get(name)!, data });
  if (average) {
    for (const [name, data] of await average.state()) put('', name, data);
  }
  for (const [name, { data }] of trained) put(average ? TRAINED : '', name, data as Float32Array);
  for (const [name, moments] of await optimiser.state()) {
    put(FIRST_MOMENT, name, moments.firstMoment);
    put(SECOND_MOMENT, name, moments.secondMoment);
  }
  const scale = JSON.stringify(stateOf(await lossScale.read()));
  return {
    tensors,
    metadata: { ...metadata, [STEP_KEY]: String(completedSteps), [LOSS_SCALE_KEY]: scale },
  };
}

/**
 * Restores weights, average, moments, counter and loss scale from a checkpoint that `readTraining` made.
 *
 * @throws CheckpointMismatchError when they are another model's
 * @throws CheckpointCorruptError when the counter or the state of the loss scale is missing
 */
export function restoreTraining(
  path: string,
  content: CheckpointContent,
  { store, optimiser, average, lossScale }: TrainedParts,
): void {
  const { tensors } = content;
  const prefixes = ['', FIRST_MOMENT, SECOND_MOMENT, ...(average ? [TRAINED] : [])];
  const expected = new Map<string, Pick<SafetensorsTensor, 'dtype' | 'shape'>>();
  for (const [name, { shape }] of store.parameters) {
    for (const prefix of prefixes) expected.set(prefix + name, { dtype: 'F32', shape: [...shape] });
  }
  requireTensors(path, tensors, expected);
  const step = checkpointStep(content);
  if (Number.isNaN(step)) {
    throw new CheckpointCorruptError(
      path,
      `it does not say after how many steps it was written (${STEP_KEY})`,
    );
  }
  const scale = lossScaleOf(path, content, step, lossScale);
  const names = [...store.parameters.keys()];
  const values = (prefix: string) =>
    new Map(names.map((name) => [name, tensors.get(prefix + name)!.data as Float32Array]));
  for (const [name, data] of values(average ? TRAINED : '')) store.get(name).write(data);
  average?.restore(values(''));
  const [first, second] = [values(FIRST_MOMENT), values(SECOND_MOMENT)];
  const moments = names.map((name) => {
    return [name, { firstMoment: first.get(name)!, secondMoment: second.get(name)! }] as const;
  });
  optimiser.restore(new Map(moments), step);
  lossScale.restore(scale);
}

function stateOf({ scale, goodSteps, takenSteps, skippedSteps }: LossScaleState): LossScaleState {
  return { scale, goodSteps, takenSteps, skippedSteps };
}

/** The state of the loss scale after so many steps, each of which was taken or skipped. */
function lossScaleOf(
  path: string,
  { metadata }: CheckpointContent,
  step: number,
  { dynamic }: LossScale,
): LossScaleState {
  const text = metadata[LOSS_SCALE_KEY];
  // Before f32 had one, its runs skipped no steps.
  if (text === undefined && !dynamic) return { scale: 1, goodSteps: step, takenSteps: step, skippedSteps: 0 };
  let state: Partial<LossScaleState> = {};
  try {
    state = JSON.parse(text ?? '{}') as Partial<LossScaleState>;
  } catch {
    // As good as missing.
  }
  const { scale = 0, takenSteps = NaN, skippedSteps = NaN, goodSteps = NaN } = state;
  if (!(scale > 0 && goodSteps >= 0 && takenSteps + skippedSteps === step)) {
    throw new CheckpointCorruptError(
      path,
      `it has no state of the loss scale after ${step} steps (${LOSS_SCALE_KEY} is ${text ?? 'missing'})`,
    );
  }
  return { scale, goodSteps, takenSteps, skippedSteps };
}

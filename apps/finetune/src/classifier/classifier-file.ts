import type { SafetensorsTensor } from '@tubelet/autograd/formats';
import { shown } from '@tubelet/kernels';
import { encoderFromJson, type ClassifierConfig } from '@tubelet/mae-dfer';
import { checkpointWeights, UserError } from '@tubelet/trainer';
import {
  type CheckpointContent,
  CheckpointCorruptError,
  ForeignFileError,
  loadCheckpoint,
} from '@tubelet/trainer/formats';
import type { CropMode } from '@tubelet/video';

const DESCRIPTION_KEY = 'tubelet.classifier';

/** What a file of a classifier says about it, so that it can be applied without further settings. */
export interface ClassifierDescription {
  readonly model: ClassifierConfig;
  /** In the order of the logits. */
  readonly classNames: readonly string[];
  /** How its clips are cut out of videos. */
  readonly clips: {
    /** Distance between two frames of a clip, in frames of the video. */
    readonly frameStep: number;
    readonly crop: CropMode;
  };
  /** What it was trained on. */
  readonly data: {
    readonly name: string;
    readonly fold: number;
    /** Names the videos and labels of the fold's training part; absent in older files, and in published classifiers. */
    readonly train?: string;
  };
}

/** The metadata entry that {@link readClassifierFile} reads. */
export function describeClassifier(description: ClassifierDescription): Record<string, string> {
  return { [DESCRIPTION_KEY]: JSON.stringify(description) };
}

export interface ClassifierFile {
  readonly description: ClassifierDescription;
  /** The weights under their published names; of a checkpoint in training, without the optimiser's moments. */
  readonly weights: ReadonlyMap<string, SafetensorsTensor>;
  readonly content: CheckpointContent;
}

/** Whether a checkpoint is one of a classifier. */
export function isClassifier({ metadata }: CheckpointContent): boolean {
  return DESCRIPTION_KEY in metadata;
}

/**
 * The description in a checkpoint.
 *
 * @throws UserError when there is none, CheckpointCorruptError when it is damaged
 */
export function classifierDescription(path: string, { metadata }: CheckpointContent): ClassifierDescription {
  const text = metadata[DESCRIPTION_KEY];
  if (text === undefined) {
    throw new UserError(
      `${path} is not a classifier: it has no ${DESCRIPTION_KEY} entry. Give a checkpoint that \`tubelet finetune\` wrote; ` +
        'one of pre-training must be fine-tuned first (tubelet finetune … --from).',
    );
  }
  try {
    return checked(JSON.parse(text) as ClassifierDescription);
  } catch (error) {
    throw new CheckpointCorruptError(path, `${DESCRIPTION_KEY} is damaged: ${(error as Error).message}`);
  }
}

/** @throws unless a file describes a classifier */
function checked(description: ClassifierDescription): ClassifierDescription {
  const { model, classNames, clips, data } = description;
  encoderFromJson(model.encoder);
  const isName = (name: unknown) => typeof name === 'string';
  const fits =
    Array.isArray(classNames) &&
    classNames.length === model.classes &&
    classNames.every(isName) &&
    ['representative', 'original', 'all'].includes(model.pooling) &&
    Number.isInteger(clips.frameStep) &&
    clips.frameStep >= 1 &&
    isName(clips.crop) &&
    isName(data.name) &&
    Number.isInteger(data.fold) &&
    (data.train === undefined || isName(data.train));
  if (!fits) throw new TypeError(`${shown(description)} describes no classifier`);
  return description;
}

/** Files of PyTorch by their names. What they hold does not tell what it was trained on. */
const PYTORCH_FILE = /\.(pth|pt)$/i;

/** The error for weights that do not say what they are of. */
const unnamedClasses = (path: string) =>
  new UserError(
    `${path} does not say which classes it tells apart. Make a classifier of it first: tubelet export --checkpoint ` +
      `${path} --trained-on DATA --fold N --out FILE.safetensors; if it is of pre-training, fine-tune it ` +
      '(tubelet finetune … --from).',
  );

/**
 * Reads a classifier.
 *
 * @throws UserError when the file cannot be read or is of another kind; CheckpointCorruptError
 */
export async function readClassifierFile(path: string): Promise<ClassifierFile> {
  if (PYTORCH_FILE.test(path)) throw unnamedClasses(path);
  const content = await loadCheckpoint(path).catch((error: unknown) => {
    throw error instanceof ForeignFileError ? unnamedClasses(path) : error;
  });
  // What `export` made of a published classifier without --trained-on.
  if (!isClassifier(content) && content.tensors.has('head.weight')) throw unnamedClasses(path);
  const description = classifierDescription(path, content);
  return { description, weights: checkpointWeights(content), content };
}

import {
  CheckpointFormatError,
  decodeSafetensors,
  HostilePickleError,
  readPytorchCheckpoint,
  requireHarmless,
  SafetensorsError,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import {
  decoderFromJson,
  encoderFromJson,
  publishedPretraining,
  type ClassifierConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';

/** A file that the page can do nothing with. The message says what it is and what to give. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError';
}

interface Weights {
  /** Under their published names. */
  readonly weights: ReadonlyMap<string, SafetensorsTensor>;
  /** Distance between two frames of a clip, in frames of a video of 25 a second. */
  readonly frameStep: number;
}

/** What a checkpoint holds. */
export type ModelFile =
  | (Weights & { readonly kind: 'pretraining'; readonly config: PretrainingConfig })
  | (Weights & {
      readonly kind: 'classifier';
      readonly config: ClassifierConfig;
      /** In the order of the logits. */
      readonly classNames: readonly string[];
    });

const DEFAULT_FRAME_STEP = 4;

/**
 * Reads a checkpoint of pre-training or of a classifier.
 *
 * @param name of the file, for messages
 * @throws ModelFileError for any other file
 */
export function readModelFile(name: string, bytes: Uint8Array): ModelFile {
  try {
    if (/\.pth$/i.test(name)) return publishedModel(bytes);
    const { tensors, metadata } = decodeSafetensors(bytes);
    const pretraining = metadata['tubelet.pretraining.config'];
    const classifier = metadata['tubelet.classifier'];
    if (pretraining !== undefined) {
      const clips = JSON.parse(metadata['tubelet.pretraining.clips'] ?? '{}') as { frameStep?: unknown };
      return { ...pretrainingModel(JSON.parse(pretraining)), ...weightsOf(tensors, clips.frameStep) };
    }
    if (classifier !== undefined) {
      const described = JSON.parse(classifier) as ClassifierJson;
      return { ...classifierModel(described), ...weightsOf(tensors, described.clips?.frameStep) };
    }
  } catch (error) {
    throw new ModelFileError(`${name} cannot be read: ${reasonOf(error as Error)}.`, { cause: error });
  }
  throw new ModelFileError(
    `${name} does not say which model its weights are of. Give a checkpoint that pre-training or fine-tuning wrote.`,
  );
}

function reasonOf(error: Error): string {
  if (error instanceof CheckpointFormatError) return error.message;
  if (error instanceof HostilePickleError) return error.message.replace(/\.$/, '');
  const what = error instanceof SafetensorsError ? 'not a safetensors file, or is cut short' : 'damaged';
  return `it is ${what} (${error.message})`;
}

/** A checkpoint of pre-training that PyTorch wrote. Nothing in it is run. */
function publishedModel(bytes: Uint8Array): ModelFile {
  const checkpoint = readPytorchCheckpoint(bytes);
  requireHarmless(checkpoint);
  if (checkpoint.tensors.has('head.weight')) {
    throw new CheckpointFormatError(
      'it is a classifier that does not name its classes; make a file of it that does: ' +
        '`tubelet export --checkpoint FILE.pth --trained-on DATA --out FILE.safetensors`',
    );
  }
  const config = publishedPretraining(checkpoint);
  return { kind: 'pretraining', config, weights: checkpoint.tensors, frameStep: DEFAULT_FRAME_STEP };
}

interface ClassifierJson {
  readonly model?: Partial<ClassifierConfig>;
  readonly classNames?: unknown;
  readonly clips?: { readonly frameStep?: unknown };
}

function pretrainingModel(json: PretrainingConfig) {
  const { encoder, decoder } = json;
  const config = { ...json, encoder: encoderFromJson(encoder), decoder: decoderFromJson(decoder) };
  return { kind: 'pretraining' as const, config };
}

function classifierModel({ model, classNames }: ClassifierJson) {
  const encoder = encoderFromJson(model?.encoder);
  if (!Array.isArray(classNames) || classNames.length !== model?.classes) {
    throw new TypeError('it does not name its classes');
  }
  return {
    kind: 'classifier' as const,
    config: { ...(model as ClassifierConfig), encoder },
    classNames: classNames.map(String),
  };
}

function weightsOf(tensors: ReadonlyMap<string, SafetensorsTensor>, frameStep: unknown): Weights {
  // A checkpoint of a training also has the optimiser's moments.
  const weights = [...tensors].filter(([name]) => !/^(exp_avg|exp_avg_sq|trained)\./.test(name));
  const isStep = Number.isInteger(frameStep) && (frameStep as number) >= 1;
  return { weights: new Map(weights), frameStep: isStep ? (frameStep as number) : DEFAULT_FRAME_STEP };
}

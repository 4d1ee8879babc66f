import { open, type FileHandle } from 'node:fs/promises';
import {
  readSafetensorsHeader,
  readSafetensorsTensor,
  SafetensorsError,
  type ByteReader,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import {
  encoderFromJson,
  encoderOfShapes,
  lgiFormer,
  vitBase,
  type EncoderConfig,
  type PretrainingConfig,
  type StatedEncoder,
} from '@tubelet/mae-dfer';
import { checkpointStep, checkpointWeights, UserError } from '@tubelet/trainer';
import {
  type CheckpointContent,
  CheckpointCorruptError,
  fileReader,
  isCheckpoint,
  loadCheckpoint,
  readPytorchFile,
} from '@tubelet/trainer/formats';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import {
  classifierDescription,
  describeClassifier,
  isClassifier,
  type ClassifierDescription,
} from './classifier-file.js';

/** What the metadata entries of a checkpoint of pre-training begin with: its model, its clips, its loss. */
const PRETRAINING = 'tubelet.pretraining.';
const PRETRAINING_KEY = `${PRETRAINING}config`;

/** Whose weights a file holds. A published checkpoint has the names alone: it says nothing of its model in words. */
export type WeightsSource = 'tubelet pre-training' | 'tubelet classifier' | 'published checkpoint';

/** A file of weights, whoever wrote it. */
export interface WeightsFile {
  readonly path: string;
  readonly source: WeightsSource;
  /** Under the names of the file, without what only training needs. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly encoder: StatedEncoder;
  /** Of a Tubelet classifier. */
  readonly classifier?: ClassifierDescription;
  /** What else there is to know: what of the file was not read, and after how much training it was written. */
  readonly notes: readonly string[];
  /** The metadata entries that say what model it is, and of pre-training how it was trained; none for published checkpoints. */
  readonly description: Readonly<Record<string, string>>;
}

async function readPth(path: string): Promise<WeightsFile> {
  const { tensors, stateDictKey, epoch, unreadKeys, nonTensors, uncalled } = await readPytorchFile(path);
  const notes = [
    ...(epoch === null ? [] : [typeof epoch === 'number' ? `after epoch ${epoch + 1}` : `epoch: ${epoch}`]),
    ...(stateDictKey !== null && unreadKeys.length > 0 ? [`not read: ${unreadKeys.join(', ')}`] : []),
    ...(nonTensors.length > 0 ? [`no tensors: ${nonTensors.join(', ')}`] : []),
    ...(uncalled.length > 0 ? [`named in the pickle and not run: ${uncalled.join(', ')}`] : []),
  ];
  const encoder = encoderOfShapes(shapesOf(tensors));
  return { path, source: 'published checkpoint', tensors, encoder, notes, description: {} };
}

const shapesOf = (tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>) =>
  new Map([...tensors].map(([name, { shape }]) => [name, shape] as const));

interface Kind {
  readonly source: WeightsSource;
  readonly encoder: StatedEncoder;
  readonly classifier?: ClassifierDescription;
  readonly description: Readonly<Record<string, string>>;
}

function kindOf(
  path: string,
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Kind {
  const content = { tensors: new Map<string, SafetensorsTensor>(), metadata };
  if (isClassifier(content)) {
    const classifier = classifierDescription(path, content);
    const description = describeClassifier(classifier);
    return { source: 'tubelet classifier', encoder: classifier.model.encoder, classifier, description };
  }
  const pretraining = metadata[PRETRAINING_KEY];
  if (pretraining === undefined) {
    return { source: 'published checkpoint', encoder: encoderOfShapes(shapesOf(tensors)), description: {} };
  }
  try {
    const encoder = encoderFromJson((JSON.parse(pretraining) as PretrainingConfig).encoder);
    const description = Object.fromEntries(
      Object.entries(metadata).filter(([key]) => key.startsWith(PRETRAINING)),
    );
    return { source: 'tubelet pre-training', encoder, description };
  } catch (error) {
    throw new CheckpointCorruptError(path, `${PRETRAINING_KEY} is damaged: ${(error as Error).message}`);
  }
}

const ZIP = 'PK\x03\x04';
/** Pickles of protocol 2 and later, which torch.save wrote before PyTorch 1.6. */
const PICKLE = '\x80';

type Format = 'zip' | 'safetensors';

async function formatOf(path: string, file: FileHandle): Promise<Format> {
  const first = Buffer.alloc(4);
  await file.read(first, 0, 4, 0);
  const text = first.toString('latin1');
  if (text === ZIP) return 'zip';
  // A safetensors file begins with the low byte of its header's length; the next bytes tell the two apart.
  if (text.startsWith(PICKLE) && first[1]! >= 2 && first[1]! <= 5 && /\.(pth|pt|bin|pkl)$/i.test(path)) {
    throw new UserError(
      `${path} is a bare pickle, as PyTorch wrote before 1.6. Load it once with a newer PyTorch and save it again ` +
        '(torch.save), or as safetensors.',
    );
  }
  return 'safetensors';
}

async function withFile<T>(path: string, use: (file: FileHandle, format: Format) => Promise<T>): Promise<T> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    if (!(await file.stat()).isFile()) throw new UserError(`cannot read ${path}: it is not a file`);
    return await use(file, await formatOf(path, file));
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new UserError(
      `${path} is neither a safetensors file nor a PyTorch checkpoint, or it is cut short (${error.message}).`,
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

async function readAll(reader: ByteReader, header: SafetensorsHeader): Promise<CheckpointContent> {
  const tensors = new Map<string, SafetensorsTensor>();
  for (const name of header.entries.keys()) {
    tensors.set(name, await readSafetensorsTensor(reader, header, name));
  }
  return { tensors, metadata: header.metadata };
}

/**
 * Reads the weights of a checkpoint of Tubelet, of another safetensors file, or of an official `.pth`. Nothing in a
 * `.pth` is run.
 *
 * @throws UserError when the file cannot be read, is damaged or is of none of these kinds, or its pickle is hostile
 */
export function readWeightsFile(path: string): Promise<WeightsFile> {
  return withFile(path, async (file, format) => {
    if (format === 'zip') return readPth(path);
    const reader = await fileReader(file);
    const header = await readSafetensorsHeader(reader);
    const content = isCheckpoint(header) ? await loadCheckpoint(path) : await readAll(reader, header);
    const tensors = checkpointWeights(content);
    const step = checkpointStep(content);
    const notes = Number.isNaN(step) ? [] : [`after ${step} steps`];
    return { path, ...kindOf(path, content.metadata, tensors), tensors, notes };
  });
}

/** What a file states of its encoder. Of a safetensors file only the header is read. */
function statedEncoder(path: string): Promise<StatedEncoder> {
  return withFile(path, async (file, format) => {
    if (format === 'zip') return (await readPth(path)).encoder;
    const { metadata, entries } = await readSafetensorsHeader(await fileReader(file));
    return kindOf(path, metadata, entries).encoder;
  });
}

/**
 * The encoder that weights belong to: as it is stated in checkpoints of Tubelet; for others what their tensors tell of
 * it, with the paper's settings for what they do not (the clip, the heads, the shape of a region). Undefined where the
 * tensors are of no such encoder.
 *
 * @param place a file, or the folder of a run
 * @throws UserError as {@link readWeightsFile} and {@link resolveCheckpoint}
 */
export async function encoderConfigOf(place: string): Promise<EncoderConfig | undefined> {
  // Of damaged checkpoints one is told when the weights are loaded.
  const stated = await statedEncoder(await resolveCheckpoint(place, () => {}));
  const { kind, ...settings } = stated;
  if (kind === undefined) return undefined;
  if (kind === 'lgi-former') return lgiFormer('base', settings);
  const { interRegion: _interRegion, localGlobal: _localGlobal, region: _region, ...common } = settings;
  return vitBase({ heads: Math.max(1, Math.round((common.dim ?? 768) / 64)), ...common });
}

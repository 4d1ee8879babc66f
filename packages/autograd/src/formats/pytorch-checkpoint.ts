/**
 * Checkpoints of PyTorch (`.pth`): zip archives of a pickle, `data.pkl`, and one file for each storage. The weights
 * are read; nothing that the pickle names is run (see `pickle.ts`).
 */
import type { SafetensorsTensor } from './safetensors-header.js';
import { shown } from '@tubelet/kernels';
import { CheckpointFormatError } from './pytorch-errors.js';
import { readPickle, type PickleInterpretation } from './pickle.js';
import {
  describePickled,
  InertObject,
  PickledGlobal,
  shownName,
  StorageReference,
  TensorReference,
  type PickleValue,
} from './pickle-values.js';
import { readTensor, tensorReference } from './pytorch-tensors.js';
import { readZipDirectory, readZipEntry, type ZipEntry } from './zip.js';

/** A plain value of the settings that a checkpoint was trained with. */
export type CheckpointSetting = string | number | boolean | null;

/** What is read of a checkpoint of PyTorch. */
export interface PytorchCheckpoint {
  /** The model's state dict, in the file's order; each tensor has memory of its own. */
  readonly tensors: Map<string, SafetensorsTensor>;
  /** Under which key of the file the state dict lay; null where the file is the state dict itself. */
  readonly stateDictKey: 'model' | 'module' | null;
  /** Last epoch of the training, from 0 on, or a word such as `best`; null where the file does not say. */
  readonly epoch: number | string | null;
  /** The plain values among the attributes of `args`, the settings of the training. */
  readonly settings: ReadonlyMap<string, CheckpointSetting>;
  /** Other entries of the file that were not read, such as `optimizer`. */
  readonly unreadKeys: readonly string[];
  /** Entries of the state dict that are not tensors, with what they are. */
  readonly nonTensors: readonly string[];
  /** Classes and functions that the pickle wants called and that were not, in the order of first mention. */
  readonly uncalled: readonly string[];
}

/**
 * Tensors of one file may share storages, and a hostile file could make thousands of views on one: together they
 * may take at most this many times the file.
 */
const MAX_EXPANSION = 8;

/** The archive's files under the name of its root folder, which is `archive` or the file's own name. */
function openArchive(bytes: Uint8Array): (path: string) => ZipEntry | undefined {
  const entries = readZipDirectory(bytes);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new CheckpointFormatError(
      `this zip archive has ${pickles.length} files ROOT/data.pkl where a checkpoint of torch.save has one`,
    );
  }
  const root = pickles[0]!.slice(0, -'data.pkl'.length);
  return (path) => entries.get(root + path);
}

/** Reads tensors as references and plain containers as what they are; writes down what else would be called. */
class Interpretation implements PickleInterpretation {
  readonly uncalled = new Set<string>();

  construct(callee: string, args: readonly PickleValue[]): PickleValue | undefined {
    const value = constructPlain(callee, args);
    if (value === undefined) this.uncalled.add(callee);
    return value;
  }

  persistent(id: PickleValue): PickleValue {
    // ('storage', storage class, key, device, number of elements): the device it lay on makes no difference.
    if (Array.isArray(id) && id[0] === 'storage' && id[1] instanceof PickledGlobal) {
      const [, type, key, , size] = id as [string, PickledGlobal, ...PickleValue[]];
      if (typeof key === 'string' && Number.isSafeInteger(size)) {
        return new StorageReference(type.name.slice(type.name.lastIndexOf('.') + 1), key, size as number);
      }
    }
    throw new CheckpointFormatError(
      `the pickle refers to ${describePickled(id)} outside it where torch.save has storages`,
    );
  }
}

function constructPlain(callee: string, args: readonly PickleValue[]): PickleValue | undefined {
  switch (callee) {
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return tensorReference(args);
    case 'torch._utils._rebuild_parameter':
      return args[0] instanceof TensorReference ? args[0] : undefined;
    case 'collections.OrderedDict':
      return args.length === 0 ? new Map() : undefined;
    default:
      return undefined;
  }
}

function pickStateDict(file: Map<PickleValue, PickleValue>): {
  stateDictKey: PytorchCheckpoint['stateDictKey'];
  dict: Map<PickleValue, PickleValue>;
} {
  for (const stateDictKey of ['model', 'module'] as const) {
    const dict = file.get(stateDictKey);
    if (dict === undefined) continue;
    if (dict instanceof Map) return { stateDictKey, dict };
    throw new CheckpointFormatError(
      `${JSON.stringify(stateDictKey)} of the checkpoint is ${describePickled(dict)}, not a state dict`,
    );
  }
  return { stateDictKey: null, dict: file };
}

/** A key as text. Keys can be anything, nested without end: `String` is not safe for them. */
const nameOf = (key: PickleValue) => (typeof key === 'string' ? shownName(key) : `<${describePickled(key)}>`);

function plainSettings(args: PickleValue | undefined): Map<string, CheckpointSetting> {
  const settings = new Map<string, CheckpointSetting>();
  const attributes = args instanceof InertObject ? args.state : args;
  if (!(attributes instanceof Map)) return settings;
  for (const [name, value] of attributes) {
    if (typeof name !== 'string') continue;
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) {
      settings.set(name, value as CheckpointSetting);
    }
  }
  return settings;
}

/**
 * Reads the weights of a checkpoint that torch.save wrote (PyTorch 1.6 or later): `{model, optimizer, epoch, args,
 * …}`, `{module, …}` or a bare state dict. Only the state dict's storages are read and checked; classes that the
 * pickle names need not be known, and nothing in it is run.
 *
 * @throws CheckpointFormatError when the bytes are not such a file, are damaged, or hold no tensors under string
 * names
 */
export function readPytorchCheckpoint(bytes: Uint8Array): PytorchCheckpoint {
  const find = openArchive(bytes);
  const byteOrder = find('byteorder');
  if (byteOrder && new TextDecoder().decode(readZipEntry(bytes, byteOrder)).trim() !== 'little') {
    throw new CheckpointFormatError(
      'the checkpoint was saved on a big-endian machine; save it again on another',
    );
  }
  const interpretation = new Interpretation();
  const file = readPickle(readZipEntry(bytes, find('data.pkl')!), interpretation);
  if (!(file instanceof Map)) {
    throw new CheckpointFormatError(`the checkpoint holds ${describePickled(file)}, not a dict with weights`);
  }
  const { stateDictKey, dict } = pickStateDict(file);

  const references = new Map<string, TensorReference>();
  const nonTensors: string[] = [];
  for (const [key, value] of dict) {
    if (typeof key === 'string' && value instanceof TensorReference) references.set(key, value);
    else nonTensors.push(`${nameOf(key)}: ${describePickled(value)}`);
  }
  if (references.size === 0) {
    const where = stateDictKey === null ? 'the checkpoint' : `${JSON.stringify(stateDictKey)}`;
    throw new CheckpointFormatError(
      `${where} has no tensors; it holds ${nonTensors.slice(0, 4).join(', ') || 'nothing'}`,
    );
  }
  const epoch = stateDictKey === null ? undefined : file.get('epoch');
  return {
    tensors: readTensors(bytes, find, references),
    stateDictKey,
    epoch: typeof epoch === 'number' || typeof epoch === 'string' ? epoch : null,
    settings: stateDictKey === null ? new Map() : plainSettings(file.get('args')),
    unreadKeys:
      stateDictKey === null
        ? []
        : [...file.keys()].map(nameOf).filter((key) => ![stateDictKey, 'epoch', 'args'].includes(key)),
    nonTensors,
    uncalled: [...interpretation.uncalled],
  };
}

function readTensors(
  bytes: Uint8Array,
  find: (path: string) => ZipEntry | undefined,
  references: ReadonlyMap<string, TensorReference>,
): Map<string, SafetensorsTensor> {
  const storages = new Map<string, Uint8Array>();
  const tensors = new Map<string, SafetensorsTensor>();
  let lengthBytes = 0;
  for (const [name, reference] of references) {
    const { key } = reference.storage;
    const entry = find(`data/${key}`);
    if (entry === undefined) {
      throw new CheckpointFormatError(
        `tensor ${shown(name)}: its storage, data/${shownName(key)}, is not in the archive; copy the file again`,
      );
    }
    const storage = storages.get(key) ?? readZipEntry(bytes, entry);
    storages.set(key, storage);
    const tensor = readTensor(name, reference, storage);
    lengthBytes += tensor.data.byteLength;
    if (lengthBytes > MAX_EXPANSION * bytes.length) {
      throw new CheckpointFormatError(
        `the tensors up to ${shown(name)} take ${lengthBytes} bytes, over ${MAX_EXPANSION} times the file's ` +
          `${bytes.length}: too many views of the same storages`,
      );
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Tensors of a PyTorch archive: from a strided view on a storage to row-major numbers. */
import type { SafetensorsData, SafetensorsDtype, SafetensorsTensor } from './safetensors-header.js';
import { shown } from '@tubelet/kernels';
import { CheckpointFormatError } from './pytorch-errors.js';
import { shownName, StorageReference, TensorReference, type PickleValue } from './pickle-values.js';

interface StorageType {
  readonly dtype: SafetensorsDtype;
  readonly elementBytes: number;
  /** The elements in memory of their own, whatever the alignment of `bytes`. */
  read(bytes: Uint8Array): SafetensorsData;
}

function plain(
  dtype: SafetensorsDtype,
  elementBytes: number,
  view: new (buffer: ArrayBuffer) => SafetensorsData,
): StorageType {
  return { dtype, elementBytes, read: (bytes) => new view(Uint8Array.from(bytes).buffer) };
}

/** bfloat16 is the upper half of a float32. */
const bfloat16: StorageType = {
  dtype: 'F32',
  elementBytes: 2,
  read(bytes) {
    const halves = new Uint16Array(Uint8Array.from(bytes).buffer);
    return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
  },
};

const STORAGE_TYPES: ReadonlyMap<string, StorageType> = new Map([
  ['DoubleStorage', plain('F64', 8, Float64Array)],
  ['FloatStorage', plain('F32', 4, Float32Array)],
  ['HalfStorage', plain('F16', 2, Uint16Array)],
  ['BFloat16Storage', bfloat16],
  ['LongStorage', plain('I64', 8, BigInt64Array)],
  ['IntStorage', plain('I32', 4, Int32Array)],
  ['ByteStorage', plain('U8', 1, Uint8Array)],
  ['BoolStorage', plain('BOOL', 1, Uint8Array)],
]);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

/** PyTorch's own limit is 64. */
const MOST_AXES = 64;

/** `_rebuild_tensor_v2(storage, offset, size, stride, …)` as a reference, or undefined for arguments of another kind. */
export function tensorReference(args: readonly PickleValue[]): TensorReference | undefined {
  const [storage, offset, shape, strides] = args;
  if (!(storage instanceof StorageReference) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
    return undefined;
  }
  return shape.length === strides.length ? new TensorReference(storage, offset, shape, strides) : undefined;
}

const isRowMajor = (shape: readonly number[], strides: readonly number[]): boolean => {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== stride) return false;
    stride *= shape[axis]!;
  }
  return true;
};

/** Positions in the storage, in row-major order of the tensor. */
function* positions({ offset, shape, strides }: TensorReference): Generator<number> {
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (;;) {
    yield position;
    let axis = shape.length - 1;
    while (axis >= 0 && index[axis]! + 1 === shape[axis]) {
      position -= index[axis]! * strides[axis]!;
      index[axis--] = 0;
    }
    if (axis < 0) return;
    index[axis]!++;
    position += strides[axis]!;
  }
}

function gather(data: SafetensorsData, reference: TensorReference, count: number): SafetensorsData {
  const result = new (data.constructor as new (length: number) => SafetensorsData)(count);
  let at = 0;
  for (const position of positions(reference)) result[at++] = data[position]!;
  return result;
}

/**
 * The numbers of a tensor, in memory of their own.
 *
 * @param name for errors
 * @param storageBytes the content of its storage's file
 * @throws CheckpointFormatError for a storage type that safetensors has no match for, a storage of another length
 *   than announced, or a view that reaches beyond its storage
 */
export function readTensor(
  name: string,
  reference: TensorReference,
  storageBytes: Uint8Array,
): SafetensorsTensor {
  const { storage, offset, shape, strides } = reference;
  const fail = (problem: string) =>
    new CheckpointFormatError(`tensor ${shown(name)} ${shown(shape)}: ${problem}`);
  if (shape.length > MOST_AXES)
    throw fail(`it has ${shape.length} axes; tensors have ${MOST_AXES} at the most`);
  const type = STORAGE_TYPES.get(storage.type);
  if (type === undefined) {
    throw fail(`${shownName(storage.type)} is not known; known are ${[...STORAGE_TYPES.keys()].join(', ')}`);
  }
  const { dtype, elementBytes } = type;
  if (storageBytes.length !== storage.size * elementBytes) {
    throw fail(
      `storage ${shownName(storage.key)} has ${storageBytes.length} bytes, ${storage.size} elements need ` +
        `${storage.size * elementBytes}`,
    );
  }
  // 0 first: a product that overflows must not hide it.
  const count = shape.includes(0) ? 0 : shape.reduce((product, extent) => product * extent, 1);
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, offset);
  // An expanded view has more elements than its storage; nothing that is trained is one, and its size has no bound.
  if (count > 0 && (last >= storage.size || count > storage.size)) {
    throw fail(
      `offset ${offset} and strides [${strides.join(', ')}] reach beyond its storage of ${storage.size} elements`,
    );
  }
  if (count === 0) return { dtype, shape, data: type.read(storageBytes.subarray(0, 0)) };
  if (isRowMajor(shape, strides)) {
    const bytes = storageBytes.subarray(offset * elementBytes, (offset + count) * elementBytes);
    return { dtype, shape, data: type.read(bytes) };
  }
  return { dtype, shape, data: gather(type.read(storageBytes), reference, count) };
}

/** Writes archives like those of torch.save, sound ones and others: zip files of stored entries, and pickles. */
import { crc32 } from '../zip.js';

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
};

const text = (value: string) => new TextEncoder().encode(value);
const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8);
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);

export interface ZipOptions {
  /** Sizes and places in 64-bit fields, as in archives over 4 GiB. */
  zip64?: boolean;
  /** Compression method in the directory; 0 is none. */
  method?: number;
}

/** A zip archive of the files, in their order. */
export function writeZip(
  files: ReadonlyMap<string, Uint8Array> | readonly (readonly [string, Uint8Array])[],
  { zip64 = false, method = 0 }: ZipOptions = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  let count = 0;
  const full = zip64 ? 0xffffffff : undefined;
  for (const [name, content] of files) {
    const checksum = crc32(content);
    const [size, nameBytes] = [content.length, text(name)];
    // PyTorch pads local headers with an extra field so that the content is aligned; odd here on purpose.
    const padding = concat([text('FB'), u16(3), new Uint8Array(3)]);
    const common = [u16(0x0800), u16(method), u32(0), u32(checksum)];
    const local = [text('PK'), u16(0x0403), u16(0), ...common, u32(size), u32(size)];
    const sizes = zip64 ? concat([u16(1), u16(24), u64(size), u64(size), u64(offset)]) : new Uint8Array(0);
    directory.push(text('PK'), u16(0x0201), u16(0), u16(0), ...common, u32(full ?? size), u32(full ?? size));
    directory.push(u16(nameBytes.length), u16(sizes.length), new Uint8Array(10), u32(full ?? offset));
    directory.push(nameBytes, sizes);
    parts.push(...local, u16(nameBytes.length), u16(padding.length), nameBytes, padding, content);
    offset = parts.reduce((sum, part) => sum + part.length, 0);
    count++;
  }
  const entries = concat(directory);
  const end: Uint8Array[] = [];
  if (zip64) {
    const [n, length] = [u64(count), u64(entries.length)];
    end.push(text('PK'), u16(0x0606), u64(44), new Uint8Array(12), n, n, length, u64(offset));
    end.push(text('PK'), u16(0x0706), u32(0), u64(offset + entries.length), u32(1));
  }
  const shownCount = zip64 ? 0xffff : count;
  end.push(text('PK'), u16(0x0605), u32(0), u16(shownCount), u16(shownCount), u32(entries.length));
  end.push(u32(full ?? offset), u16(0));
  return concat([...parts, entries, ...end]);
}

/** Opcodes of a pickle. What they mean is in Python's `pickletools`. */
export const op = {
  none: Uint8Array.of(0x4e),
  emptyDict: text('}'),
  emptyTuple: text(')'),
  mark: text('('),
  setItems: text('u'),
  tuple: text('t'),
  reduce: text('R'),
  build: text('b'),
  appends: text('e'),
  persistent: text('Q'),
  true: Uint8Array.of(0x88),
  false: Uint8Array.of(0x89),
  string: (value: string) => concat([text('X'), u32(text(value).length), text(value)]),
  integer: (value: number) => concat([text('J'), u32(value)]),
  global: (module: string, name: string) => text(`c${module}\n${name}\n`),
};

/** The pickle of protocol 2 that runs the opcodes. */
export function pickle(...opcodes: readonly Uint8Array[]): Uint8Array {
  return concat([Uint8Array.of(0x80, 2), ...opcodes, text('.')]);
}

export const tupleOf = (...items: readonly Uint8Array[]) => concat([op.mark, ...items, op.tuple]);
export const dictOf = (entries: readonly (readonly [string, Uint8Array])[]) =>
  concat([op.emptyDict, op.mark, ...entries.flatMap(([key, value]) => [op.string(key), value]), op.setItems]);
export const callOf = (module: string, name: string, ...args: readonly Uint8Array[]) =>
  concat([op.global(module, name), tupleOf(...args), op.reduce]);

export interface PickledTensor {
  key: string;
  /** Elements of the storage. */
  size: number;
  shape: readonly number[];
  strides?: readonly number[];
  offset?: number;
  type?: string;
  device?: string;
}

/** A tensor as torch.save pickles it. */
export function tensorOf({ key, size, shape, type = 'FloatStorage', ...rest }: PickledTensor): Uint8Array {
  const { offset = 0, device = 'cuda:3' } = rest;
  const strides =
    rest.strides ?? shape.map((_, axis) => shape.slice(axis + 1).reduce((a, extent) => a * extent, 1));
  const storage = concat([
    tupleOf(
      op.string('storage'),
      op.global('torch', type),
      op.string(key),
      op.string(device),
      op.integer(size),
    ),
    op.persistent,
  ]);
  return callOf(
    'torch._utils',
    '_rebuild_tensor_v2',
    storage,
    op.integer(offset),
    tupleOf(...shape.map(op.integer)),
    tupleOf(...strides.map(op.integer)),
    op.false,
    callOf('collections', 'OrderedDict'),
  );
}

/** A checkpoint of the pickle and of storages by their keys. */
export function archive(
  dataPickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  { root = 'archive', ...options }: ZipOptions & { root?: string } = {},
): Uint8Array {
  const files: [string, Uint8Array][] = [[`${root}/data.pkl`, dataPickle]];
  for (const [key, bytes] of Object.entries(storages)) files.push([`${root}/data/${key}`, bytes]);
  files.push([`${root}/version`, text('3\n')]);
  return writeZip(files, options);
}

/** A checkpoint of one weight, `w`, whose pickle would call a function with `touch ran`. */
export function hostileArchive(module: string, name: string): Uint8Array {
  const dict = dictOf([
    ['model', dictOf([['w', tensorOf({ key: '0', size: 1, shape: [1] })]])],
    ['payload', callOf(module, name, op.string('touch ran'))],
  ]);
  return archive(pickle(dict), { 0: new Uint8Array(4) });
}

export const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

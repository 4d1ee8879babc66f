/** The types of the safetensors format, and the strict reading of its header. */
import { shown } from '@tubelet/kernels';

/** Element types of tensors in memory. `F16` is held as its 16-bit patterns in a `Uint16Array`. */
export type SafetensorsDtype = 'F64' | 'F32' | 'F16' | 'I64' | 'I32' | 'U32' | 'U8' | 'BOOL';

/** Element types that a file may hold: `BF16` becomes `F32` when it is decoded. */
export type SafetensorsFileDtype = SafetensorsDtype | 'BF16';

/** Values of a tensor in memory. */
export type SafetensorsData =
  Float64Array | Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint32Array | Uint8Array;

/** One tensor in memory: `data` holds `shape`'s elements in row-major order. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: SafetensorsData;
}

/** Where one tensor lies in a file. `offsetBytes` counts from the start of the file. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsFileDtype;
  readonly shape: readonly number[];
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** What a safetensors file says before its data. */
export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the tensors' bytes begin, counted from the start of the file. */
  readonly dataOffsetBytes: number;
}

/** Bytes that are not a well-formed safetensors file, or tensors that cannot become one. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';

  /**
   * @param key the tensor (or header field) at fault, or null when the file as a whole is
   * @param problem what is wrong, with its values
   */
  constructor(
    readonly key: string | null,
    readonly problem: string,
  ) {
    super(key === null ? `safetensors: ${problem}` : `safetensors: ${shown(key)}: ${problem}`);
  }
}

export interface DtypeInfo {
  readonly elementBytes: number;
  readonly view: {
    new (buffer: ArrayBufferLike, offsetBytes: number, length: number): SafetensorsData;
  };
}

const DTYPES: ReadonlyMap<string, DtypeInfo> = new Map<SafetensorsFileDtype, DtypeInfo>([
  ['F64', { elementBytes: 8, view: Float64Array }],
  ['F32', { elementBytes: 4, view: Float32Array }],
  ['F16', { elementBytes: 2, view: Uint16Array }],
  ['BF16', { elementBytes: 2, view: Uint16Array }],
  ['I64', { elementBytes: 8, view: BigInt64Array }],
  ['I32', { elementBytes: 4, view: Int32Array }],
  ['U32', { elementBytes: 4, view: Uint32Array }],
  ['U8', { elementBytes: 1, view: Uint8Array }],
  ['BOOL', { elementBytes: 1, view: Uint8Array }],
]);

export const LENGTH_FIELD_BYTES = 8;
/** The limit of the reference implementation: a longer header is a damaged length field. */
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = '__metadata__';

export function dtypeInfo(key: string, dtype: unknown): DtypeInfo {
  const info = typeof dtype === 'string' ? DTYPES.get(dtype) : undefined;
  if (!info) {
    throw new SafetensorsError(
      key,
      `dtype ${shown(dtype)} is not known; known are ${[...DTYPES.keys()].join(', ')}`,
    );
  }
  return info;
}

export function elementCount(key: string, shape: unknown): number {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new SafetensorsError(key, `shape ${shown(shape)} is not a list of whole numbers of 0 or more`);
  }
  const count = (shape as number[]).reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count)) {
    throw new SafetensorsError(key, `shape ${shown(shape)} has more elements than can be counted`);
  }
  return count;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `JSON.parse` keeps the last of two equal keys without a word; a file with two of them is refused. */
function refuseDuplicateKeys(json: string): void {
  const open: (Set<string> | null)[] = [];
  const tokens = /["{}[\]]/g;
  const colon = /\s*:/y;
  for (let match; (match = tokens.exec(json)) !== null;) {
    const token = match[0];
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else {
      const end = endOfString(json, match.index);
      tokens.lastIndex = colon.lastIndex = end;
      if (!colon.test(json)) continue;
      const key = JSON.parse(json.slice(match.index, end)) as string;
      const seen = open.at(-1);
      if (seen?.has(key)) throw new SafetensorsError(key, 'occurs twice in the header');
      seen?.add(key);
    }
  }
}

/** Where a string of JSON ends. A regular expression for it would overflow its stack over a long string. */
function endOfString(json: string, begin: number): number {
  let end = json.indexOf('"', begin + 1);
  for (; ; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function parseEntry(
  key: string,
  value: unknown,
  dataOffsetBytes: number,
  dataLengthBytes: number,
): SafetensorsEntry {
  if (!isRecord(value)) throw new SafetensorsError(key, 'its header entry is not an object');
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const unknown = Object.keys(others);
  if (unknown.length > 0) {
    throw new SafetensorsError(key, `unknown header fields ${shown(unknown)}`);
  }
  const info = dtypeInfo(key, dtype);
  const count = elementCount(key, shape);
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? (offsets as unknown[]) : [];
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || (begin as number) < 0) {
    throw new SafetensorsError(key, `data_offsets ${shown(offsets)} are not two byte positions`);
  }
  const lengthBytes = (end as number) - (begin as number);
  if (lengthBytes !== count * info.elementBytes) {
    throw new SafetensorsError(
      key,
      `${String(dtype)} of shape ${shown(shape)} needs ${count * info.elementBytes} bytes, ` +
        `data_offsets ${shown(offsets)} give ${lengthBytes}`,
    );
  }
  if ((end as number) > dataLengthBytes) {
    throw new SafetensorsError(
      key,
      `data_offsets ${shown(offsets)} are out of range: the file holds ${dataLengthBytes} bytes of data`,
    );
  }
  return {
    dtype: dtype as SafetensorsFileDtype,
    shape: shape as number[],
    offsetBytes: dataOffsetBytes + (begin as number),
    lengthBytes,
  };
}

export function headerLength(first: Uint8Array, fileLengthBytes: number): number {
  if (fileLengthBytes < LENGTH_FIELD_BYTES) {
    throw new SafetensorsError(null, `a file of ${fileLengthBytes} bytes is too short for a header length`);
  }
  const length = new DataView(first.buffer, first.byteOffset, LENGTH_FIELD_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(null, `header length ${length} exceeds ${MAX_HEADER_BYTES}`);
  }
  if (LENGTH_FIELD_BYTES + Number(length) > fileLengthBytes) {
    throw new SafetensorsError(
      null,
      `header length ${length} is out of range: the file has ${fileLengthBytes} bytes`,
    );
  }
  return Number(length);
}

export function parseHeader(headerBytes: Uint8Array, fileLengthBytes: number): SafetensorsHeader {
  let json: string;
  let parsed: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(headerBytes);
    parsed = JSON.parse(json);
  } catch (error) {
    throw new SafetensorsError(
      null,
      `the header is not JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (!isRecord(parsed)) throw new SafetensorsError(null, 'the header is not a JSON object');
  refuseDuplicateKeys(json);

  const dataOffsetBytes = LENGTH_FIELD_BYTES + headerBytes.length;
  const dataLengthBytes = fileLengthBytes - dataOffsetBytes;
  const entries = new Map<string, SafetensorsEntry>();
  let metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(parsed)) {
    if (key !== METADATA_KEY) {
      entries.set(key, parseEntry(key, value, dataOffsetBytes, dataLengthBytes));
    } else if (isRecord(value) && Object.values(value).every((text) => typeof text === 'string')) {
      metadata = value as Record<string, string>;
    } else {
      throw new SafetensorsError(METADATA_KEY, 'is not a map from strings to strings');
    }
  }

  let end = dataOffsetBytes;
  let previous = 'the header';
  const byPosition = [...entries].sort(
    ([, a], [, b]) => a.offsetBytes - b.offsetBytes || a.lengthBytes - b.lengthBytes,
  );
  for (const [key, entry] of byPosition) {
    if (entry.offsetBytes !== end) {
      const relation = entry.offsetBytes < end ? 'overlaps' : 'leaves a gap after';
      throw new SafetensorsError(
        key,
        `its data ${relation} ${previous}: it begins at byte ${entry.offsetBytes}, not ${end}`,
      );
    }
    end += entry.lengthBytes;
    previous = shown(key);
  }
  if (end !== fileLengthBytes) {
    throw new SafetensorsError(null, `${fileLengthBytes - end} trailing bytes after the last tensor`);
  }
  return { entries, metadata, dataOffsetBytes };
}

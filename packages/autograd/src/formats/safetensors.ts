/**
 * The safetensors format: a 64-bit little-endian header length, a JSON header, then the tensors' raw
 * little-endian bytes. Written from the public format description of the `safetensors` project.
 *
 * Bytes are taken as the host's own: every host that WebGPU runs on is little-endian.
 */
import {
  LENGTH_FIELD_BYTES,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  SafetensorsError,
  dtypeInfo,
  elementCount,
  headerLength,
  parseHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from './safetensors-header.js';

/** All of a safetensors file: tensors by name, and metadata. */
export interface SafetensorsContent {
  readonly tensors: Map<string, SafetensorsTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads ranges of a file that may be larger than one array. */
export interface ByteReader {
  readonly lengthBytes: number;
  /** Exactly `lengthBytes` bytes from `offsetBytes` on; rejects when they cannot be had. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/**
 * A safetensors file as chunks, so that a large one never lies in memory twice: first the header, then
 * one view on each tensor's own data. Tensors are ordered by falling element size, then by name, and the
 * header is padded to 8 bytes: every tensor is aligned, and equal content gives equal bytes whatever the
 * order of the map.
 *
 * @throws SafetensorsError when a tensor's data does not fit its dtype and shape, or a name is reserved
 */
export function encodeSafetensorsChunks(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Readonly<Record<string, string>> = {},
): { readonly lengthBytes: number; readonly chunks: readonly Uint8Array[] } {
  const sorted = [...tensors]
    .map(([key, tensor]) => ({ key, tensor, info: dtypeInfo(key, tensor.dtype) }))
    .sort((a, b) => b.info.elementBytes - a.info.elementBytes || (a.key < b.key ? -1 : 1));

  const header: [string, unknown][] = [];
  const metadataEntries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (metadataEntries.length > 0) header.push([METADATA_KEY, Object.fromEntries(metadataEntries)]);

  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const { key, tensor, info } of sorted) {
    if (key === METADATA_KEY) throw new SafetensorsError(key, 'this name is reserved for the metadata');
    if ((tensor.dtype as string) === 'BF16' || !(tensor.data instanceof info.view)) {
      throw new SafetensorsError(
        key,
        `dtype ${tensor.dtype} cannot be written from a ${tensor.data.constructor.name}`,
      );
    }
    const count = elementCount(key, tensor.shape);
    if (tensor.data.length !== count) {
      throw new SafetensorsError(
        key,
        `shape [${tensor.shape.join(', ')}] needs ${count} elements, data has ${tensor.data.length}`,
      );
    }
    const bytes = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    header.push([
      key,
      { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, offset + bytes.length] },
    ]);
    chunks.push(bytes);
    offset += bytes.length;
  }

  // Written entry by entry: an object would move names that look like whole numbers to the front.
  const json = `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const jsonBytes = new TextEncoder().encode(json);
  const paddedBytes = Math.ceil(jsonBytes.length / 8) * 8;
  if (paddedBytes > MAX_HEADER_BYTES) {
    throw new SafetensorsError(null, `a header of ${paddedBytes} bytes exceeds ${MAX_HEADER_BYTES}`);
  }
  const head = new Uint8Array(LENGTH_FIELD_BYTES + paddedBytes).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(paddedBytes), true);
  head.set(jsonBytes, LENGTH_FIELD_BYTES);
  return { lengthBytes: head.length + offset, chunks: [head, ...chunks] };
}

/** {@link encodeSafetensorsChunks} in one array. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { lengthBytes, chunks } = encodeSafetensorsChunks(tensors, metadata);
  const bytes = new Uint8Array(lengthBytes);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function decodeEntry(entry: SafetensorsEntry, bytes: Uint8Array): SafetensorsTensor {
  const info = dtypeInfo('', entry.dtype);
  // Not `slice`: that of Node's `Buffer` copies nothing.
  const aligned = bytes.byteOffset % info.elementBytes === 0 ? bytes : Uint8Array.from(bytes);
  const data = new info.view(aligned.buffer, aligned.byteOffset, entry.lengthBytes / info.elementBytes);
  if (entry.dtype !== 'BF16') return { dtype: entry.dtype, shape: entry.shape, data };
  // bfloat16 is the upper half of a float32.
  const bits = Uint32Array.from(data as Uint16Array, (half) => half << 16);
  return { dtype: 'F32', shape: entry.shape, data: new Float32Array(bits.buffer) };
}

/**
 * The tensors and metadata of a whole file in memory. Tensors are views on `bytes` where their alignment
 * allows it, copies elsewhere.
 *
 * @throws SafetensorsError when `bytes` is not a well-formed file; names the tensor and the problem
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsContent {
  const length = headerLength(bytes, bytes.length);
  const header = parseHeader(bytes.subarray(LENGTH_FIELD_BYTES, LENGTH_FIELD_BYTES + length), bytes.length);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [key, entry] of header.entries) {
    const end = entry.offsetBytes + entry.lengthBytes;
    tensors.set(key, decodeEntry(entry, bytes.subarray(entry.offsetBytes, end)));
  }
  return { tensors, metadata: header.metadata };
}

/**
 * Reads the header of a file of any size and checks it against the file's length.
 *
 * @throws SafetensorsError when it is not a well-formed file; names the tensor and the problem
 */
export async function readSafetensorsHeader(reader: ByteReader): Promise<SafetensorsHeader> {
  const first = await reader.read(0, Math.min(LENGTH_FIELD_BYTES, reader.lengthBytes));
  const length = headerLength(first, reader.lengthBytes);
  return parseHeader(await reader.read(LENGTH_FIELD_BYTES, length), reader.lengthBytes);
}

/**
 * Reads one tensor of a file of any size.
 *
 * @throws SafetensorsError when the file has no tensor of that name
 */
export async function readSafetensorsTensor(
  reader: ByteReader,
  header: SafetensorsHeader,
  key: string,
): Promise<SafetensorsTensor> {
  const entry = header.entries.get(key);
  if (!entry) throw new SafetensorsError(key, 'the file has no tensor of this name');
  return decodeEntry(entry, await reader.read(entry.offsetBytes, entry.lengthBytes));
}

/** One IEEE half-precision bit pattern as a number (IEEE 754-2008, binary16). */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * A tensor's elements as float32: the data itself for `F32`, a conversion for `F16` and `F64`.
 *
 * @throws SafetensorsError for the integer and boolean types, whose conversion would hide a mistake
 */
export function safetensorsFloat32(key: string, tensor: SafetensorsTensor): Float32Array {
  if (tensor.dtype === 'F32') return tensor.data as Float32Array;
  if (tensor.dtype === 'F64') return Float32Array.from(tensor.data as Float64Array);
  if (tensor.dtype === 'F16') return Float32Array.from(tensor.data as Uint16Array, halfToNumber);
  throw new SafetensorsError(key, `dtype ${tensor.dtype} is not a floating-point type`);
}

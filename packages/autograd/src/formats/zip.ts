/**
 * Reading of zip archives whose entries are stored uncompressed, as PyTorch writes them. From the public
 * description of the format (PKWARE APPNOTE), 64-bit extension included.
 */
import { shown } from '@tubelet/kernels';
import { CheckpointFormatError } from './pytorch-errors.js';

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly lengthBytes: number;
  /** Where its local header begins in the archive. */
  readonly headerOffsetBytes: number;
  /** CRC-32 (IEEE 802.3) of the content. */
  readonly crc32: number;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const EXTRA_ZIP64 = 1;
/** A 32-bit field that says: see the 64-bit extension. */
const SEE_ZIP64 = 0xffffffff;
const FLAG_ENCRYPTED = 1;
const METHOD_STORED = 0;

/** Little-endian fields at absolute positions; every read outside the file is an error of the file. */
class Fields {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  require(offset: number, lengthBytes: number, what: string): void {
    if (offset < 0 || offset + lengthBytes > this.bytes.length) {
      throw new CheckpointFormatError(
        `the archive is cut short or damaged: ${what} needs bytes ${offset} to ${offset + lengthBytes} of a file of ` +
          `${this.bytes.length} bytes; copy or download the file again`,
      );
    }
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  u64(offset: number): number {
    return Number(this.view.getBigUint64(offset, true));
  }
}

function findEnd(fields: Fields): number {
  const last = fields.bytes.length - END_BYTES;
  for (let offset = last; offset >= Math.max(0, last - MAX_COMMENT_BYTES); offset--) {
    if (fields.u32(offset) === END_SIGNATURE && fields.u16(offset + 20) === last - offset) return offset;
  }
  throw new CheckpointFormatError(
    'this is not a zip archive, or its end is missing; checkpoints are zip files as torch.save writes them since ' +
      'PyTorch 1.6. Load an older file in PyTorch and save it again, or copy the file again if it was cut short',
  );
}

/** Place and entry count of the central directory. */
function findDirectory(fields: Fields): { offset: number; count: number } {
  const end = findEnd(fields);
  const directory = { offset: fields.u32(end + 16), count: fields.u16(end + 10) };
  const locator = end - END64_LOCATOR_BYTES;
  if (locator < 0 || fields.u32(locator) !== END64_LOCATOR_SIGNATURE) return directory;
  const end64 = fields.u64(locator + 8);
  fields.require(end64, END64_BYTES, 'the end record');
  if (fields.u32(end64) !== END64_SIGNATURE) {
    throw new CheckpointFormatError(`the archive is damaged: there is no end record at byte ${end64}`);
  }
  return { offset: fields.u64(end64 + 48), count: fields.u64(end64 + 32) };
}

/**
 * The files of an archive by name.
 *
 * @throws CheckpointFormatError when the bytes are not a zip archive, the directory is damaged or names a file twice,
 *   or an entry is compressed or encrypted
 */
export function readZipDirectory(bytes: Uint8Array): Map<string, ZipEntry> {
  const fields = new Fields(bytes);
  const directory = findDirectory(fields);
  const entries = new Map<string, ZipEntry>();
  let lengthBytes = 0;
  let offset = directory.offset;
  for (let i = 0; i < directory.count; i++) {
    fields.require(offset, CENTRAL_BYTES, `directory entry ${i}`);
    if (fields.u32(offset) !== CENTRAL_SIGNATURE) {
      throw new CheckpointFormatError(
        `the archive is damaged: there is no directory entry at byte ${offset}`,
      );
    }
    const nameBytes = fields.u16(offset + 28);
    const extraBytes = fields.u16(offset + 30);
    const next = offset + CENTRAL_BYTES + nameBytes + extraBytes + fields.u16(offset + 32);
    fields.require(offset, next - offset, `directory entry ${i}`);
    const nameAt = offset + CENTRAL_BYTES;
    const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + nameBytes));
    if (entries.has(name)) throw new CheckpointFormatError(`the archive holds ${shown(name)} twice`);
    if (fields.u16(offset + 8) & FLAG_ENCRYPTED || fields.u16(offset + 10) !== METHOD_STORED) {
      throw new CheckpointFormatError(
        `${shown(name)} is compressed or encrypted in the archive; torch.save stores files as they are. ` +
          'Unpack the file, or save it again with torch.save',
      );
    }
    const sizes = readSizes(fields, offset, nameAt + nameBytes, extraBytes);
    entries.set(name, { name, crc32: fields.u32(offset + 16), ...sizes });
    lengthBytes += sizes.lengthBytes;
    // Files that lie in one another: reading a small archive could take for ever.
    if (lengthBytes > bytes.length) {
      throw new CheckpointFormatError(
        `the archive is damaged: its files up to ${shown(name)} have ${lengthBytes} bytes, and it has ${bytes.length}`,
      );
    }
    offset = next;
  }
  return entries;
}

/** Length and place of an entry, from its 32-bit fields or, where those are full, from the 64-bit extension. */
function readSizes(
  fields: Fields,
  entry: number,
  extra: number,
  extraBytes: number,
): { lengthBytes: number; headerOffsetBytes: number } {
  let lengthBytes = fields.u32(entry + 24);
  const storedBytes = fields.u32(entry + 20);
  let headerOffsetBytes = fields.u32(entry + 42);
  for (let at = extra; at + 4 <= extra + extraBytes; at += 4 + fields.u16(at + 2)) {
    if (fields.u16(at) !== EXTRA_ZIP64) continue;
    // The extension holds only the fields that are full, in this order.
    let field = at + 4;
    const next = (): number => {
      fields.require(field, 8, 'a 64-bit size');
      field += 8;
      return fields.u64(field - 8);
    };
    if (lengthBytes === SEE_ZIP64) lengthBytes = next();
    if (storedBytes === SEE_ZIP64) next();
    if (headerOffsetBytes === SEE_ZIP64) headerOffsetBytes = next();
  }
  return { lengthBytes, headerOffsetBytes };
}

/**
 * The content of a file of the archive, as a view on `bytes`.
 *
 * @throws CheckpointFormatError when it is cut short, or its checksum is another one than the archive says
 */
export function readZipEntry(bytes: Uint8Array, entry: ZipEntry): Uint8Array {
  const fields = new Fields(bytes);
  const { name, headerOffsetBytes, lengthBytes } = entry;
  const what = shown(name);
  fields.require(headerOffsetBytes, LOCAL_BYTES, what);
  if (fields.u32(headerOffsetBytes) !== LOCAL_SIGNATURE) {
    throw new CheckpointFormatError(
      `the archive is damaged: ${what} does not begin at byte ${headerOffsetBytes}`,
    );
  }
  const begin =
    headerOffsetBytes + LOCAL_BYTES + fields.u16(headerOffsetBytes + 26) + fields.u16(headerOffsetBytes + 28);
  fields.require(begin, lengthBytes, what);
  const content = bytes.subarray(begin, begin + lengthBytes);
  const found = crc32(content);
  if (found !== entry.crc32) {
    throw new CheckpointFormatError(
      `the archive is damaged: ${what} has checksum ${found.toString(16)} instead of ${entry.crc32.toString(16)}; ` +
        'copy or download the file again',
    );
  }
  return content;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of IEEE 802.3, the checksum of zip archives. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

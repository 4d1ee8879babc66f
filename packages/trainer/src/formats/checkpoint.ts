import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import {
  SafetensorsError,
  encodeSafetensorsChunks,
  readSafetensorsHeader,
  readSafetensorsTensor,
  type ByteReader,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import {
  CheckpointCorruptError,
  CheckpointMismatchError,
  CheckpointReadError,
  CheckpointWriteError,
  ForeignFileError,
  type ShapeDifference,
} from './checkpoint-errors.js';
import { errorMessage, systemErrorCode } from '../errors.js';
import { fileReader, PART_BYTES } from './file-reader.js';
import { freeBytes, nodeFileSystem, replaceFile, writeFully, type WriteFileSystem } from './file-write.js';

/**
 * What a checkpoint holds: weights and optimiser moments as tensors, counters and settings as text. Equal
 * content gives equal bytes, so nothing here may depend on the time, the machine or the duration of a run.
 */
export interface CheckpointContent {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * A checkpoint is a safetensors file whose metadata carry a format version and the SHA-256 of the whole
 * file, computed with the digest's own 64 characters as zeros.
 */
const VERSION_KEY = 'tubelet.checkpoint';
const VERSION = '1';
const DIGEST_KEY = 'tubelet.sha256';
const DIGEST_PLACEHOLDER = '0'.repeat(64);
const DIGEST_FIELD = new TextEncoder().encode(`"${DIGEST_KEY}":"`);

/** Whether a safetensors file with these metadata is a checkpoint of a run, which {@link loadCheckpoint} reads. */
export function isCheckpoint({ metadata }: Pick<SafetensorsHeader, 'metadata'>): boolean {
  return VERSION_KEY in metadata && DIGEST_KEY in metadata;
}

/** Where the digest's characters begin in the header. Quotes inside JSON text are escaped: no other match. */
function digestPosition(header: Uint8Array): number {
  const buffer = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const field = buffer.indexOf(DIGEST_FIELD);
  return field < 0 ? -1 : field + DIGEST_FIELD.length;
}

/**
 * Writes a checkpoint beside its final name, flushes it and its folder, and renames it: at any instant the
 * file at `path` is the old one, or the whole new one, or there is none.
 *
 * @returns the file's digest and size
 * @throws CheckpointWriteError when it cannot be written; no unfinished file stays behind
 * @throws SafetensorsError when a tensor's data does not fit its dtype and shape
 */
export async function saveCheckpoint(
  path: string,
  content: CheckpointContent,
  fileSystem: WriteFileSystem = nodeFileSystem,
): Promise<{ readonly sha256: string; readonly lengthBytes: number }> {
  for (const key of [VERSION_KEY, DIGEST_KEY]) {
    if (key in content.metadata) throw new RangeError(`metadata key ${key} is reserved for checkpoints`);
  }
  const { lengthBytes, chunks } = encodeSafetensorsChunks(content.tensors, {
    ...content.metadata,
    [VERSION_KEY]: VERSION,
    [DIGEST_KEY]: DIGEST_PLACEHOLDER,
  });
  const hash = createHash('sha256');
  let sha256 = '';
  try {
    await replaceFile(
      path,
      async (handle) => {
        let position = 0;
        for (const chunk of chunks) {
          for (let begin = 0; begin < chunk.length; begin += PART_BYTES) {
            const part = chunk.subarray(begin, begin + PART_BYTES);
            // Hashing goes on while the system writes.
            const writing = writeFully(handle, part, position);
            hash.update(part);
            await writing;
            position += part.length;
          }
        }
        sha256 = hash.digest('hex');
        const digestAt = digestPosition(chunks[0] ?? new Uint8Array(0));
        await writeFully(handle, new TextEncoder().encode(sha256), digestAt);
      },
      fileSystem,
    );
  } catch (error) {
    const free = await freeBytes(path, fileSystem);
    throw new CheckpointWriteError(path, systemErrorCode(error), lengthBytes, free, { cause: error });
  }
  return { sha256, lengthBytes };
}

async function updateInParts(hash: Hash, bytes: Uint8Array): Promise<void> {
  for (let begin = 0; begin < bytes.length; begin += PART_BYTES) {
    hash.update(bytes.subarray(begin, begin + PART_BYTES));
    if (begin > 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function statedDigest(path: string, { metadata }: SafetensorsHeader): string {
  const version = metadata[VERSION_KEY];
  const digest = metadata[DIGEST_KEY];
  if (version === undefined || digest === undefined) {
    throw new ForeignFileError(path);
  }
  if (version !== VERSION) {
    throw new CheckpointCorruptError(path, `its format version is ${version}; this program reads ${VERSION}`);
  }
  return digest;
}

async function readVerified(path: string, reader: ByteReader): Promise<CheckpointContent> {
  const header = await readSafetensorsHeader(reader);
  const stated = statedDigest(path, header);

  // Tensors follow each other without gaps, so reading them in file order hashes every byte once.
  const hash = createHash('sha256');
  const head = await reader.read(0, header.dataOffsetBytes);
  const digestAt = digestPosition(head);
  if (digestAt >= 0) head.set(new TextEncoder().encode(DIGEST_PLACEHOLDER), digestAt);
  hash.update(head);
  const hashingReader: ByteReader = {
    lengthBytes: reader.lengthBytes,
    async read(offsetBytes, lengthBytes) {
      const bytes = await reader.read(offsetBytes, lengthBytes);
      await updateInParts(hash, bytes);
      return bytes;
    },
  };
  const tensors = new Map<string, SafetensorsTensor>();
  const inFileOrder = [...header.entries].sort(([, a], [, b]) => a.offsetBytes - b.offsetBytes);
  for (const [key] of inFileOrder) {
    tensors.set(key, await readSafetensorsTensor(hashingReader, header, key));
  }
  const found = hash.digest('hex');
  if (found !== stated) {
    throw new CheckpointCorruptError(path, `its content has changed: SHA-256 is ${found}, not ${stated}`);
  }
  const { [VERSION_KEY]: _version, [DIGEST_KEY]: _digest, ...metadata } = header.metadata;
  return { tensors, metadata };
}

/**
 * Reads a checkpoint of any size and verifies its digest.
 *
 * @throws CheckpointReadError when the file is missing or unreadable
 * @throws CheckpointCorruptError when it is cut short, was changed, or is not a checkpoint
 */
export async function loadCheckpoint(path: string): Promise<CheckpointContent> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    const problem = systemErrorCode(error) === 'ENOENT' ? 'there is no such file' : errorMessage(error);
    throw new CheckpointReadError(path, problem, { cause: error });
  }
  try {
    return await readVerified(path, await fileReader(file));
  } catch (error) {
    if (error instanceof SafetensorsError) {
      throw new CheckpointCorruptError(path, `cut short or damaged (${error.message})`, { cause: error });
    }
    if (systemErrorCode(error) !== null) {
      throw new CheckpointReadError(path, errorMessage(error), { cause: error });
    }
    throw error;
  } finally {
    await file.close();
  }
}

/**
 * Checks that a checkpoint's tensors are exactly the expected ones, in name, dtype and shape.
 *
 * @throws CheckpointMismatchError listing what is missing, unexpected and different
 */
export function requireTensors(
  path: string,
  tensors: ReadonlyMap<string, Pick<SafetensorsTensor, 'dtype' | 'shape'>>,
  expected: ReadonlyMap<string, Pick<SafetensorsTensor, 'dtype' | 'shape'>>,
): void {
  const describe = ({ dtype, shape }: Pick<SafetensorsTensor, 'dtype' | 'shape'>): string =>
    `${dtype} [${shape.join(', ')}]`;
  const missing = [...expected.keys()].filter((key) => !tensors.has(key));
  const unexpected = [...tensors.keys()].filter((key) => !expected.has(key));
  const different: ShapeDifference[] = [];
  for (const [key, tensor] of tensors) {
    const wanted = expected.get(key);
    if (wanted && describe(wanted) !== describe(tensor)) {
      different.push({ key, expected: describe(wanted), found: describe(tensor) });
    }
  }
  if (missing.length + unexpected.length + different.length > 0) {
    throw new CheckpointMismatchError(path, missing, unexpected, different);
  }
}

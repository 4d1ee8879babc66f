import * as promises from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError, errorMessage, systemErrorCode } from '../errors.js';

/** The calls that durable writing needs; tests put a failing file system in their place. */
export interface WriteFileSystem {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  open(path: string, flags: 'w' | 'r'): Promise<WriteHandle>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  statfs(path: string): Promise<{ bavail: number; bsize: number }>;
}

export interface WriteHandle {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const nodeFileSystem: WriteFileSystem = promises;

/** Files being written end in this; they are never taken for finished ones. */
export const PARTIAL_SUFFIX = '.partial';

/** A single write call is kept below the 2 GiB that the system accepts. */
const MAX_WRITE_BYTES = 1 << 26;

/** A file could not be written: a full disk, an exhausted quota, missing permission, a failing device. */
export class FileWriteError extends UserError {
  override readonly name: string = 'FileWriteError';

  constructor(
    readonly path: string,
    readonly code: string | null,
    readonly neededBytes: number,
    /** Bytes that the file system has left for this user, or null where it does not say. */
    readonly freeBytes: number | null,
    consequence: string,
    options: ErrorOptions,
  ) {
    const free = freeBytes === null ? 'unknown' : `${freeBytes} bytes`;
    super(
      `cannot write ${path}: ${describe(code, options.cause)} (needed ${neededBytes} bytes, free ${free}). ` +
        `${remedy(code)} ${consequence}`.trim(),
      options,
    );
  }
}

function describe(code: string | null, cause: unknown): string {
  switch (code) {
    case 'ENOSPC':
      return 'no space left on the device (ENOSPC)';
    case 'EDQUOT':
      return 'the disk quota is used up (EDQUOT)';
    case 'EACCES':
    case 'EPERM':
      return `permission denied (${code})`;
    case 'EFBIG':
      return 'the file may not grow any further (EFBIG)';
    case 'EROFS':
      return 'the file system is read-only (EROFS)';
    default:
      return errorMessage(cause);
  }
}

function remedy(code: string | null): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Free some space, or choose a folder on another disk.';
  if (code === 'EFBIG') return 'Raise the limit on the size of files (ulimit -f).';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return 'Choose a folder that can be written.';
  return '';
}

/** Bytes free for this user on the file system of `path`; null where it cannot be asked. */
export async function freeBytes(path: string, fileSystem: WriteFileSystem): Promise<number | null> {
  try {
    const { bavail, bsize } = await fileSystem.statfs(dirname(path));
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** Writes all of `bytes` from byte `position` of the file on. */
export async function writeFully(handle: WriteHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(MAX_WRITE_BYTES, bytes.length - done);
    const { bytesWritten } = await handle.write(bytes, done, length, position + done);
    if (bytesWritten === 0) throw new Error(`the system wrote none of ${length} bytes at ${position + done}`);
    done += bytesWritten;
  }
}

/**
 * Replaces the file at `path` in one step: `write` fills a file beside it, which is flushed to the disk,
 * renamed over `path`, and made lasting by flushing the folder. At no instant is there a half-written file
 * at `path`. On failure the unfinished file is removed and whatever was at `path` stays as it was.
 *
 * @throws what `write` or the system threw
 */
export async function replaceFile(
  path: string,
  write: (handle: WriteHandle) => Promise<void>,
  fileSystem: WriteFileSystem = nodeFileSystem,
): Promise<void> {
  const partial = path + PARTIAL_SUFFIX;
  await fileSystem.mkdir(dirname(path), { recursive: true });
  let opened = false;
  try {
    const handle = await fileSystem.open(partial, 'w');
    opened = true;
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fileSystem.rename(partial, path);
  } catch (error) {
    if (opened) await removeQuietly(partial, fileSystem);
    throw error;
  }
  await syncFolder(dirname(path), fileSystem);
}

/** The failure that led here matters more than a left-over file, which the next write replaces. */
async function removeQuietly(path: string, fileSystem: WriteFileSystem): Promise<void> {
  try {
    await fileSystem.unlink(path);
  } catch {
    // Nothing to add to the error being thrown.
  }
}

async function syncFolder(path: string, fileSystem: WriteFileSystem): Promise<void> {
  // Windows cannot open a folder, and makes renames lasting by itself.
  if (process.platform === 'win32') return;
  const handle = await fileSystem.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Bytes, or text that becomes UTF-8. */
export type FilePiece = Uint8Array | string;

export interface PiecesOptions {
  readonly fileSystem?: WriteFileSystem;
  /** The size of the file, where it is known beforehand: errors say how much room is needed. */
  readonly knownBytes?: number;
}

/**
 * Replaces a file in one step, by pieces that are written as they come: what is long in the making, or too large for
 * the memory, need not be there at once. When `pieces` fails, whatever was at `path` stays as it was.
 *
 * @throws FileWriteError when the file cannot be written; what `pieces` throws, as it is
 */
export async function writeFileInPieces(
  path: string,
  pieces: Iterable<FilePiece> | AsyncIterable<FilePiece>,
  { fileSystem = nodeFileSystem, knownBytes = 0 }: PiecesOptions = {},
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  const noted = (async function* () {
    try {
      yield* pieces;
    } catch (error) {
      failure = { error };
      throw error;
    }
  })();
  const encoder = new TextEncoder();
  let lengthBytes = 0;
  try {
    await replaceFile(
      path,
      async (handle) => {
        for await (const piece of noted) {
          const bytes = typeof piece === 'string' ? encoder.encode(piece) : piece;
          const position = lengthBytes;
          lengthBytes += bytes.length;
          await writeFully(handle, bytes, position);
        }
      },
      fileSystem,
    );
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    const free = await freeBytes(path, fileSystem);
    const neededBytes = Math.max(knownBytes, lengthBytes);
    throw new FileWriteError(path, systemErrorCode(error), neededBytes, free, '', { cause: error });
  }
}

/**
 * Replaces a text file in one step.
 *
 * @throws FileWriteError when the file cannot be written
 */
export function writeTextFile(
  path: string,
  text: string,
  fileSystem: WriteFileSystem = nodeFileSystem,
): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  return writeFileInPieces(path, [bytes], { fileSystem, knownBytes: bytes.length });
}

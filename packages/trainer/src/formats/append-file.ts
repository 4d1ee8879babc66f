import { closeSync, fsyncSync, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs';
import { FileWriteError } from './file-write.js';
import { systemErrorCode } from '../errors.js';

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/**
 * A file that grows by whole records. Each record reaches the system before `append` returns, so that a
 * killed process loses none of them, and a record that does not fit on the disk is taken back whole.
 */
export class AppendFile {
  readonly #descriptor: number;
  #lengthBytes: number;

  /**
   * @param lengthBytes what to keep of an existing file; the rest of it is cut off
   * @throws FileWriteError when the file cannot be opened for writing
   */
  constructor(
    readonly path: string,
    lengthBytes: number,
  ) {
    try {
      this.#descriptor = openSync(path, 'a');
      ftruncateSync(this.#descriptor, lengthBytes);
    } catch (error) {
      throw this.#failure(error, 0);
    }
    this.#lengthBytes = lengthBytes;
  }

  /** @throws FileWriteError when the record cannot be written */
  append(record: Uint8Array): void {
    try {
      let done = 0;
      while (done < record.length) done += writeSync(this.#descriptor, record, done);
    } catch (error) {
      this.#takeBack();
      throw this.#failure(error, record.length);
    }
    this.#lengthBytes += record.length;
  }

  /** Flushes to the disk itself: needed against power failures only, not against kills. */
  flush(): void {
    try {
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw this.#failure(error, 0);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #takeBack(): void {
    try {
      ftruncateSync(this.#descriptor, this.#lengthBytes);
    } catch {
      // The failure of the write is the one to report.
    }
  }

  #failure(error: unknown, neededBytes: number): FileWriteError {
    const free = freeBytes(this.path);
    return new FileWriteError(this.path, systemErrorCode(error), neededBytes, free, '', { cause: error });
  }
}

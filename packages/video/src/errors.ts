/** A video that cannot be read: not a video, cut short, or of a kind that ffmpeg does not know. */
export class VideoDecodeError extends Error {
  override readonly name = 'VideoDecodeError';
  constructor(
    /** The file or folder. */
    readonly path: string,
    /** What went wrong, in a few words. */
    readonly reason: string,
  ) {
    super(`${path} cannot be decoded: ${reason}`);
  }
}

/** Whether the system refused a call: reading, writing, or starting a program. */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

const READING = new Set(['open', 'read', 'scandir', 'stat', 'lstat']);
const OUT_OF_REACH = new Set(['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

/**
 * Whether a file or folder is gone, may not be read, or is the other of the two. What another attempt may mend, such as a
 * disk of the network that does not answer or too many open files, is not meant, nor a program that cannot be started.
 */
export function isOutOfReach(error: unknown): error is NodeJS.ErrnoException {
  return isOfSystem(error) && READING.has(String(error.syscall)) && OUT_OF_REACH.has(String(error.code));
}

/** Whether the system failed in a way that says nothing of a file, and another attempt may mend: see {@link isOutOfReach}. */
export const isSystemFailure = (error: unknown): error is Error => isOfSystem(error) && !isOutOfReach(error);

/** A video that cannot be written: ffmpeg lacks an encoder, or its file cannot be made. */
export class VideoEncodeError extends Error {
  override readonly name = 'VideoEncodeError';
  constructor(
    /** The file that was to be written. */
    readonly path: string,
    /** What went wrong, in a few words. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${path} cannot be encoded: ${reason}`, options);
  }
}

/** A data set in which no video can be read (or which is empty). */
export class NoReadableVideoError extends Error {
  override readonly name = 'NoReadableVideoError';
  constructor(
    message: string,
    /** The files that were tried and why each failed. */
    readonly badFiles: readonly BadFile[] = [],
  ) {
    super(message);
  }
}

/** A folder, glob or list file that cannot be used as a source of videos, or a disk with videos that fails. */
export class VideoSourceError extends Error {
  override readonly name = 'VideoSourceError';
}

/** A folder in which shards cannot be begun, or gone on with. */
export class ShardFolderError extends Error {
  override readonly name = 'ShardFolderError';
}

/** No ffmpeg on this machine, or the one that was asked for does not run. */
export class FfmpegNotFoundError extends Error {
  override readonly name = 'FfmpegNotFoundError';
}

/** A decoder or loader was used after `close()`. */
export class DecoderClosedError extends Error {
  override readonly name = 'DecoderClosedError';
}

/** The face detector cannot be installed, or does not work. */
export class FaceDetectorError extends Error {
  override readonly name = 'FaceDetectorError';
}

/** A file that was left out, and why. */
export interface BadFile {
  path: string;
  reason: string;
}

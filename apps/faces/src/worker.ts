/** A drawing thread: draws and writes one clip after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { encodeVideo, VideoEncodeError } from '@tubelet/video';
import { makeClip } from './clip.js';
import { renderClip } from './render.js';
import type { ClipRequest, ClipResponse, WorkerSetup } from './worker-protocol.js';

const { ffmpeg, size, frames, framesPerSecond } = workerData as WorkerSetup;

/** Whether an error is about the machine rather than about this program: ffmpeg, or the disk. */
const isExpected = (error: unknown): boolean =>
  error instanceof VideoEncodeError || (error instanceof Error && 'syscall' in error);

async function answer({ key, path }: ClipRequest): Promise<ClipResponse> {
  try {
    const pixels = await renderClip(makeClip(key, frames), size);
    await encodeVideo(path, pixels, { width: size, height: size, framesPerSecond, ffmpeg });
    return { ok: true };
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { ok: false, expected: isExpected(error), message, stack };
  }
}

parentPort?.on('message', (request: ClipRequest) => {
  // It answers its own errors.
  void answer(request).then((response) => parentPort?.postMessage(response));
});

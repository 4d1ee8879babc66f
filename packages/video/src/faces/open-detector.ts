import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { FaceDetectorError } from '../errors.js';
import type { RgbImage } from '../pixels/image-passes.js';
import { defaultWorkerCount } from '../loader/pool.js';
import { scriptFile } from '../loader/worker-file.js';
import type { DetectorRequest, DetectorResponse, DetectorSetup } from './detector-protocol.js';
import type { Face, FaceDetector } from './face.js';
import { installDetector, weightsFolder } from './install-detector.js';

interface Pending {
  resolve(faces: Face[]): void;
  reject(error: Error): void;
}

/** The installed detector in threads, which take images in turn. Where one of them ends, it is of no more use. */
export class DetectorThreads implements FaceDetector {
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private failure: FaceDetectorError | undefined;

  constructor(private readonly threads: readonly Worker[]) {
    for (const thread of threads) {
      thread.on('message', (response: DetectorResponse) => this.settle(response));
      thread.on('error', (error) => this.end(error));
      thread.on('exit', (code) => this.end(new Error(`a thread of it ended with code ${code}`)));
    }
  }

  get workers(): number {
    return this.threads.length;
  }

  detect(image: RgbImage): Promise<Face[]> {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.nextId++;
    const request: DetectorRequest = { id, image };
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.threads[id % this.threads.length]!.postMessage(request);
    });
  }

  async close(): Promise<void> {
    this.end(new Error('it was closed'));
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private settle(response: DetectorResponse): void {
    if (response.kind === 'ready') return;
    const pending = this.pending.get(response.id);
    // It was rejected with all others, when a thread died.
    if (!pending) return;
    const { resolve, reject } = pending;
    this.pending.delete(response.id);
    if (response.kind === 'faces') resolve(response.faces);
    else reject(new FaceDetectorError(`The face detector failed on an image: ${response.message}`));
  }

  private end(error: Error): void {
    this.failure ??= new FaceDetectorError(`The face detector ended: ${error.message}`, { cause: error });
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
  }
}

/** Starts a thread, and waits until its weights are loaded. */
async function startThread(script: URL, setup: DetectorSetup): Promise<Worker> {
  const thread = new Worker(script, { workerData: setup, name: 'tubelet-faces' });
  try {
    await once(thread, 'message');
    return thread;
  } catch (error) {
    throw new FaceDetectorError(
      `The face detector in ${setup.folder} does not start: ${(error as Error).message}. Delete that folder, and the ` +
        'next use installs it anew.',
      { cause: error },
    );
  }
}

/**
 * Opens the face detector, installing it at the first use.
 *
 * @param say told what is done meanwhile
 * @throws FaceDetectorError when it cannot be installed or does not start
 */
export async function openFaceDetector(
  say: (line: string) => void,
  workers = defaultWorkerCount(),
): Promise<FaceDetector> {
  const folder = await installDetector(say);
  const script = await scriptFile('face-detector');
  const setup = { folder, weights: weightsFolder(folder) };
  const starting = Array.from({ length: workers }, () => startThread(script, setup));
  const started = await Promise.allSettled(starting);
  const threads = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failure = started.find((one) => one.status === 'rejected');
  if (failure !== undefined) {
    await Promise.all(threads.map((thread) => thread.terminate()));
    throw failure.reason;
  }
  return new DetectorThreads(threads);
}

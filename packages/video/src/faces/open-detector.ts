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
  private readonly loading: Set<Worker>;
  /** Until every thread has loaded its weights; a FaceDetectorError when one of them ends before. */
  readonly loaded: Promise<void>;
  private settleLoaded!: { resolve(): void; reject(error: Error): void };

  constructor(private readonly threads: readonly Worker[]) {
    this.loading = new Set(threads);
    this.loaded = new Promise((resolve, reject) => (this.settleLoaded = { resolve, reject }));
    // Nobody may wait for it.
    this.loaded.catch(() => undefined);
    for (const thread of threads) {
      thread.on('message', (response: DetectorResponse) => this.settle(thread, response));
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

  private settle(thread: Worker, response: DetectorResponse): void {
    if (response.kind === 'ready') {
      this.loading.delete(thread);
      if (this.loading.size === 0) this.settleLoaded.resolve();
      return;
    }
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
    this.settleLoaded.reject(this.failure);
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
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
  const setup: DetectorSetup = { folder, weights: weightsFolder(folder) };
  const detector = new DetectorThreads(
    Array.from({ length: workers }, () => new Worker(script, { workerData: setup, name: 'tubelet-faces' })),
  );
  try {
    await detector.loaded;
    return detector;
  } catch (error) {
    await detector.close();
    const { message } = (error as FaceDetectorError).cause as Error;
    throw new FaceDetectorError(
      `The face detector in ${folder} does not start: ${message}. Delete that folder, and the next use installs it anew.`,
      { cause: error },
    );
  }
}

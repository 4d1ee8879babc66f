/** A few threads that decode. */
import { cacheDirectory } from '@tubelet/kernels/node';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CropMode } from '../pixels/crop.js';
import type { FrameShape } from '../decode/decode.js';
import { DecoderClosedError, VideoDecodeError, VideoSourceError } from '../errors.js';
import { resolveFfmpeg, type Ffmpeg } from '../ffmpeg/ffmpeg.js';
import type { VideoInfo } from '../decode/video-info.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { compileWasmFfmpeg } from '../ffmpeg/runner-wasm.js';
import { findWebCodecs, wantedDecoder, type DecoderName, type WebCodecsDecoder } from '../webcodecs/find.js';
import type { EncodedClip, RgbClip } from '../shards/encode-clip.js';
import type { ShardMember } from '../shards/member.js';
import type { EncodeShape } from '../webcodecs/protocol.js';
import { scriptFile } from './worker-file.js';
import {
  pathOf,
  type DecodedFrames,
  type Job,
  type JobResult,
  type WorkerFailure,
  type WorkerResponse,
  type WorkerSetup,
} from './worker-protocol.js';

interface Pending {
  id: number;
  job: Job;
  resolve(value: JobResult[keyof JobResult]): void;
  reject(error: Error): void;
}

interface Thread {
  worker: Worker;
  current?: Pending;
  /** Ends the thread when its job takes too long. */
  limit?: NodeJS.Timeout;
  overdue?: boolean;
  /** The decoder process that this thread started. */
  processId?: number;
}

/**
 * Longer than decoder processes and ffmpeg have for a job: what is left over is a thread that hangs, as the WebAssembly
 * build of ffmpeg may over a damaged file.
 */
const JOB_LIMIT_MS = 900_000;
/** What each frame of a whole video may take beyond that. */
const FRAME_LIMIT_MS = 200;

function jobLimitMs(job: Job, limitMs: number): number {
  const frames = job.kind === 'encode' || job.kind === 'range' ? job.info.frameCount : 0;
  return limitMs + frames * FRAME_LIMIT_MS;
}

/** How long a thread may take to end its decoder process before both are ended from here. */
const CLOSING_LIMIT_MS = 2000;

export interface DecoderPoolOptions {
  /** Threads, each with a decoder process where the decoder is `webcodecs`; by default one for each core but one. */
  workers?: number;
  /** By default `TUBELET_DECODER`; where that is unset, `webcodecs` if it works here, else `ffmpeg`. */
  decoder?: DecoderName;
  /** As `resolveFfmpeg` found it, which is also the default. */
  ffmpeg?: Ffmpeg;
  /**
   * How long ffmpeg, or a decoder process, may take over a clip before it is ended and the video left out, in
   * milliseconds; by default ten minutes, and one.
   */
  decodeLimitMs?: number;
  /** How long a job may take before its thread is ended, in milliseconds; default a quarter of an hour. */
  limitMs?: number;
}

/** The number of decoding threads where none is asked for: one processor is left to the program itself. */
export function defaultWorkerCount(processes = 1): number {
  return Math.max(1, Math.floor((availableParallelism() - 1) / processes));
}

function toError(failure: WorkerFailure): Error {
  if (failure.kind === 'VideoDecodeError') return new VideoDecodeError(failure.path, failure.reason);
  if (failure.kind === 'VideoSourceError') return new VideoSourceError(failure.message);
  const error = new Error(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

/** For a job whose thread died over it. */
function deathError(job: Job, what: string): Error {
  return new VideoDecodeError(pathOf(job), `the decoding thread ${what}`);
}

/**
 * Decodes in threads, jobs in the order in which they were asked for. An idle pool does not keep the process alive.
 */
export class DecoderPool {
  private readonly threads: Thread[] = [];
  private readonly queue: Pending[] = [];
  private nextId = 0;
  private closed = false;

  private constructor(
    readonly ffmpeg: Ffmpeg,
    /** Undefined where ffmpeg decodes everything. */
    readonly webcodecs: WebCodecsDecoder | undefined,
    private readonly script: URL,
    private readonly setup: WorkerSetup,
    readonly workers: number,
    private readonly limitMs: number,
  ) {
    process.once('exit', this.killProcesses);
    for (let i = 0; i < workers; i++) this.threads.push(this.startThread());
  }

  /**
   * @throws FfmpegNotFoundError; WebCodecsNotFoundError where that decoder is asked for and does not work here;
   *   RangeError when `workers` is not a positive integer.
   */
  static async open(options: DecoderPoolOptions = {}): Promise<DecoderPool> {
    const workers = options.workers ?? defaultWorkerCount();
    if (!Number.isInteger(workers) || workers < 1) {
      throw new RangeError(`workers is ${workers}: give a positive integer.`);
    }
    const ffmpeg = options.ffmpeg ?? (await resolveFfmpeg());
    const webcodecs = await chooseWebCodecs(options.decoder ?? wantedDecoder());
    const setup: WorkerSetup = {
      ffmpeg,
      decodeLimitMs: options.decodeLimitMs,
      decoderProcess: webcodecs?.script,
      headers: {
        folder: join(cacheDirectory(), 'video-headers'),
        decoder: webcodecs === undefined ? `ffmpeg ${ffmpeg.version}` : `webcodecs ${webcodecs.version}`,
      },
    };
    if (ffmpeg.kind === 'wasm') setup.wasmModule = await compileWasmFfmpeg(ffmpeg);
    const { decodeLimitMs = 0, limitMs = Math.max(JOB_LIMIT_MS, 2 * decodeLimitMs) } = options;
    return new DecoderPool(ffmpeg, webcodecs, await scriptFile('worker'), setup, workers, limitMs);
  }

  /** One line: what decodes, and in how many threads or processes. */
  get description(): string {
    const { ffmpeg, webcodecs, workers } = this;
    const ffmpegName = `ffmpeg ${ffmpeg.version} (${ffmpeg.source})`;
    return webcodecs === undefined
      ? `${ffmpegName} from ${workers} threads`
      : `@napi-rs/webcodecs ${webcodecs.version} in ${workers} processes; ${ffmpegName} for what it leaves`;
  }

  /**
   * Size, number of frames and rate of a video or a folder of frames.
   *
   * @param member of a video in a shard.
   * @throws VideoDecodeError
   */
  probe(path: string, member?: ShardMember): Promise<VideoInfo> {
    return this.submit({ kind: 'probe', path, member });
  }

  /**
   * Decodes a whole video and encodes it anew.
   *
   * @param cut frames of `size` that were cut out of it already, to encode in place of its own.
   * @throws VideoDecodeError; VideoEncodeError where this machine has no encoder.
   */
  encode(info: VideoInfo, crop: CropMode, shape: EncodeShape, cut?: RgbClip): Promise<EncodedClip> {
    const { size, keyFrameInterval } = shape;
    return this.submit({ kind: 'encode', info, crop, size, keyFrameInterval, cut });
  }

  /**
   * Decodes the frames `begin` … `end − 1` (all by default), into shared memory.
   *
   * @throws VideoDecodeError
   */
  readRange(info: VideoInfo, shape: FrameShape, begin = 0, end = info.frameCount): Promise<CodedFrames> {
    return this.submit({ kind: 'range', info, begin, end, shape });
  }

  /**
   * Decodes the frames of one clip.
   *
   * @param indices as `clipFrameIndices` gives them.
   * @param decoded frames to use in place of the file.
   * @throws VideoDecodeError
   */
  readClip(
    info: VideoInfo,
    indices: number[],
    shape: FrameShape,
    decoded?: DecodedFrames,
  ): Promise<CodedFrames> {
    return this.submit({ kind: 'clip', info, indices, shape, decoded });
  }

  /** Ends the threads. What was not answered yet is rejected with a DecoderClosedError. */
  close(): Promise<void> {
    return this.fail(new DecoderClosedError('The decoder was closed.'));
  }

  private submit<J extends Job>(job: J): Promise<JobResult[J['kind']]> {
    if (this.closed) return Promise.reject(new DecoderClosedError('The decoder was closed.'));
    return new Promise((resolve, reject) => {
      const accept = (value: JobResult[keyof JobResult]) => resolve(value as JobResult[J['kind']]);
      this.queue.push({ id: this.nextId++, job, resolve: accept, reject });
      this.dispatch();
    });
  }

  private dispatch(): void {
    for (const thread of this.threads) {
      if (thread.current !== undefined) continue;
      const pending = this.queue.shift();
      if (pending === undefined) return;
      thread.current = pending;
      thread.limit = setTimeout(
        () => {
          thread.overdue = true;
          void thread.worker.terminate();
        },
        jobLimitMs(pending.job, this.limitMs),
      );
      thread.worker.ref();
      thread.worker.postMessage({ id: pending.id, job: pending.job });
    }
  }

  private startThread(): Thread {
    const worker = new Worker(this.script, { workerData: this.setup, name: 'tubelet-video' });
    const thread: Thread = { worker };
    let ready = false;
    let death: Error | undefined;
    worker.unref();
    worker.on('message', (response: WorkerResponse) => {
      if (response.kind === 'ready') ready = true;
      if (response.kind === 'process') thread.processId = response.alive ? response.pid : undefined;
      if (response.kind !== 'answer') return;
      // Closing waits for the thread's end: a late answer must not let the process end before it.
      if (this.closed) return;
      const pending = thread.current;
      thread.current = undefined;
      clearTimeout(thread.limit);
      worker.unref();
      this.dispatch();
      if (response.ok) pending?.resolve(response.value);
      else pending?.reject(toError(response.failure));
    });
    worker.on('error', (error) => (death = error));
    worker.on('exit', (code) => {
      clearTimeout(thread.limit);
      if (this.closed) return;
      const end = `ended with code ${code}${death === undefined ? '' : `: ${death.message}`}`;
      const what = thread.overdue ? 'took too long and was ended' : end;
      if (ready) this.replace(thread, what);
      else void this.fail(new Error(`A decoding thread could not start: it ${what}`, { cause: death }));
    });
    return thread;
  }

  /** A thread that dies takes its file with it, not the run: a fresh one goes on with the queue. */
  private replace(thread: Thread, what: string): void {
    killProcess(thread);
    this.threads[this.threads.indexOf(thread)] = this.startThread();
    const { current } = thread;
    current?.reject(deathError(current.job, what));
    this.dispatch();
  }

  /** Ends the threads and their processes; everything unanswered is rejected with `error`. */
  private async fail(error: Error): Promise<void> {
    this.closed = true;
    const unanswered = [...this.queue.splice(0), ...this.threads.flatMap((thread) => thread.current ?? [])];
    for (const pending of unanswered) pending.reject(error);
    await Promise.all(this.threads.map((thread) => closeThread(thread)));
    this.killProcesses();
    this.threads.splice(0);
    process.off('exit', this.killProcesses);
  }

  /** Ends processes whose threads could not. */
  private readonly killProcesses = (): void => {
    for (const thread of this.threads) killProcess(thread);
  };
}

function killProcess({ processId }: Thread): void {
  if (processId === undefined) return;
  try {
    process.kill(processId, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** Lets a thread wait for the end of its decoder process, and ends the thread. */
async function closeThread({ worker, processId }: Thread): Promise<void> {
  if (processId !== undefined) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSING_LIMIT_MS);
      worker.on('message', ({ kind }: WorkerResponse) => {
        if (kind !== 'closed') return;
        clearTimeout(timer);
        resolve();
      });
      worker.postMessage('close');
    });
  }
  await worker.terminate();
}

/** @throws WebCodecsNotFoundError where `webcodecs` is wanted by name and does not work here */
async function chooseWebCodecs(wanted: DecoderName | undefined): Promise<WebCodecsDecoder | undefined> {
  if (wanted === 'ffmpeg') return undefined;
  try {
    return await findWebCodecs();
  } catch (error) {
    if (wanted === 'webcodecs') throw error;
    return undefined;
  }
}

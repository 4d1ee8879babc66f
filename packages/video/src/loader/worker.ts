/** The decoding thread: answers one job after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeFrames } from '../decode/decode.js';
import { takeFrames, type CodedFrames } from '../pixels/coded-frames.js';
import { probe, type Decoders } from '../decode/decoders.js';
import { isOutOfReach, isSystemFailure, VideoDecodeError } from '../errors.js';
import { HeaderCache } from '../decode/header-cache.js';
import { createRunner } from '../ffmpeg/create-runner.js';
import { FfmpegInterruptedError } from '../ffmpeg/runner.js';
import { encodeClip } from '../shards/encode-clip.js';
import { DecoderProcess } from '../webcodecs/client.js';
import {
  pathOf,
  type ClipJob,
  type Job,
  type RangeJob,
  type WorkerFailure,
  type WorkerRequest,
  type WorkerResponse,
  type WorkerSetup,
} from './worker-protocol.js';

const say = (response: WorkerResponse, transfer: ArrayBuffer[] = []) =>
  parentPort?.postMessage(response, transfer);

const { ffmpeg, wasmModule, decoderProcess, decodeLimitMs, headers } = workerData as WorkerSetup;
const decoders: Decoders = {
  headers: new HeaderCache(headers.folder, headers.decoder),
  ffmpeg: await createRunner(ffmpeg, wasmModule, decodeLimitMs),
  webcodecs:
    decoderProcess === undefined
      ? undefined
      : new DecoderProcess(decoderProcess, {
          onProcess: (pid, alive) => say({ kind: 'process', pid, alive }),
          limitMs: decodeLimitMs,
        }),
};

async function makeClip({ info, indices, shape, decoded }: Omit<ClipJob, 'kind'>): Promise<CodedFrames> {
  if (decoded === undefined) return decodeFrames(decoders, info, indices, shape);
  return takeFrames(
    decoded.frames,
    indices.map((index) => index - decoded.begin),
  );
}

async function decodeRange({ info, begin, end, shape }: RangeJob): Promise<CodedFrames> {
  const indices = Array.from({ length: end - begin }, (_, i) => begin + i);
  const { bytes, frames } = await decodeFrames(decoders, info, indices, shape);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return { bytes: shared, frames };
}

async function answer(job: Job) {
  switch (job.kind) {
    case 'probe':
      return probe(decoders, job.path, job.member);
    case 'range':
      return decodeRange(job);
    case 'clip':
      return makeClip(job);
    case 'encode':
      return encodeClip(decoders, job);
  }
}

/** A signal to a whole group of processes comes once: what it interrupted is done again. */
const ATTEMPTS = 3;

async function answerWhole(job: Job): ReturnType<typeof answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await answer(job);
    } catch (error) {
      if (!(error instanceof FfmpegInterruptedError) || attempt === ATTEMPTS) throw error;
    }
  }
}

function describeFailure(error: unknown, job: Job): WorkerFailure {
  if (error instanceof VideoDecodeError) {
    return { kind: 'VideoDecodeError', path: error.path, reason: error.reason };
  }
  const failure = error instanceof Error ? error : new Error(String(error));
  const { message, stack } = failure;
  if (isOutOfReach(failure)) return { kind: 'VideoDecodeError', path: pathOf(job), reason: message };
  if (isSystemFailure(failure)) {
    const again = 'Once it can be, go on with --resume, or begin again';
    return { kind: 'VideoSourceError', message: `${pathOf(job)} cannot be read: ${message}. ${again}.` };
  }
  return { kind: 'other', message, stack };
}

async function respond({ id, job }: WorkerRequest): Promise<void> {
  let response: WorkerResponse;
  const transfer: ArrayBuffer[] = [];
  try {
    const value = await answerWhole(job);
    const bytes = 'bytes' in value ? value.bytes : value;
    if (ArrayBuffer.isView(bytes) && bytes.buffer instanceof ArrayBuffer) transfer.push(bytes.buffer);
    response = { kind: 'answer', id, ok: true, value };
  } catch (error) {
    response = { kind: 'answer', id, ok: false, failure: describeFailure(error, job) };
  }
  say(response, transfer);
}

parentPort?.on('message', (request: WorkerRequest | 'close') => {
  if (request !== 'close') void respond(request);
  else void Promise.resolve(decoders.webcodecs?.close()).finally(() => say({ kind: 'closed' }));
});

say({ kind: 'ready' });

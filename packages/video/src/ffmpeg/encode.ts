/** Encoding of frames to a video file. */
import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VideoEncodeError } from '../errors.js';
import { resolveFfmpeg, type Ffmpeg, type NativeFfmpeg, type WasmFfmpeg } from './ffmpeg.js';
import { complaints } from './ffmpeg-output.js';
import { GLOBAL_OPTIONS } from './runner.js';
import { wasmInstances } from './runner-wasm.js';

export interface EncodeVideoOptions {
  /** Edges of the frames in pixels, even: colour is kept at half of the resolution. */
  width: number;
  height: number;
  framesPerSecond: number;
  /** Constant rate factor of x264, 0 (lossless) … 51; default 18, where losses are hard to see. */
  quality?: number;
  /** Frames from one key frame to the next; default 16. */
  keyFrameInterval?: number;
  /** As `resolveFfmpeg` found it, which is also the default. */
  ffmpeg?: Ffmpeg;
}

function checkOptions(options: EncodeVideoOptions): void {
  const { width, height, framesPerSecond, quality = 18, keyFrameInterval = 16 } = options;
  for (const [name, value] of Object.entries({ width, height })) {
    if (!Number.isInteger(value) || value < 2 || value % 2 !== 0) {
      throw new RangeError(
        `${name} is ${value}: H.264 with half the colours wants an even number of pixels.`,
      );
    }
  }
  if (!(framesPerSecond > 0 && framesPerSecond <= 1000)) {
    throw new RangeError(`framesPerSecond is ${framesPerSecond}: give a number above 0, at most 1000.`);
  }
  if (!(quality >= 0 && quality <= 51))
    throw new RangeError(`quality is ${quality}: give a rate factor from 0 to 51.`);
  if (!Number.isInteger(keyFrameInterval) || keyFrameInterval < 1) {
    throw new RangeError(`keyFrameInterval is ${keyFrameInterval}: give a positive integer.`);
  }
}

/** Whole frames at a time, and at least one. */
async function* checkedFrames(
  frames: Uint8Array | AsyncIterable<Uint8Array>,
  { width, height }: EncodeVideoOptions,
): AsyncGenerator<Uint8Array, void> {
  const frameBytes = width * height * 3;
  const refuse = (lengthBytes: number) =>
    new RangeError(
      `frames has ${lengthBytes} bytes, which is not a whole number of ${width}×${height} RGB frames of ${frameBytes}.`,
    );
  let any = false;
  for await (const piece of frames instanceof Uint8Array ? [frames] : frames) {
    if (piece.length === 0 || piece.length % frameBytes !== 0) throw refuse(piece.length);
    any = true;
    yield piece;
  }
  if (!any) throw refuse(0);
}

function inputOptions({ width, height, framesPerSecond }: EncodeVideoOptions): string[] {
  return ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', `${framesPerSecond}`];
}

/** One thread, and nothing in the file about the program or the time: equal frames give equal bytes. */
function outputOptions({ quality = 18, keyFrameInterval = 16 }: EncodeVideoOptions): string[] {
  return [
    ...['-vf', 'scale=flags=bilinear+accurate_rnd+full_chroma_int+bitexact,format=yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', `${quality}`, '-threads', '1'],
    ...['-g', `${keyFrameInterval}`, '-sc_threshold', '0', '-flags:v', '+bitexact', '-fflags', '+bitexact'],
    ...['-map_metadata', '-1', '-movflags', '+faststart', '-f', 'mp4'],
  ];
}

async function encodeWithWasm(
  path: string,
  frames: AsyncIterable<Uint8Array>,
  options: EncodeVideoOptions,
  ffmpeg: WasmFfmpeg,
): Promise<void> {
  const pieces: Uint8Array[] = [];
  for await (const piece of frames) pieces.push(piece);
  const core = await (await wasmInstances(ffmpeg))();
  const log: string[] = [];
  core.setLogger(({ message }) => log.push(message));
  core.FS.writeFile('/input', Buffer.concat(pieces));
  let exitCode: number;
  try {
    exitCode = core.exec(
      ...[...GLOBAL_OPTIONS, ...inputOptions(options), '-i', '/input'],
      ...[...outputOptions(options), '/output.mp4'],
    );
  } catch (error) {
    // A trap in the module, as when it is out of memory.
    exitCode = -1;
    log.push(error instanceof Error ? error.message : String(error));
  }
  if (exitCode !== 0) throw new VideoEncodeError(path, complaints(log.join('\n')));
  await writeFile(path, core.FS.readFile('/output.mp4'));
}

async function encodeWithProgram(
  path: string,
  frames: AsyncIterable<Uint8Array>,
  options: EncodeVideoOptions,
  ffmpeg: NativeFfmpeg,
): Promise<void> {
  const args = [...GLOBAL_OPTIONS, ...inputOptions(options), '-i', 'pipe:0', ...outputOptions(options)];
  const child = spawn(ffmpeg.path, [...args, '-y', `file:${path}`], {
    stdio: ['pipe', 'ignore', 'pipe'],
    windowsHide: true,
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(new VideoEncodeError(path, error.message, { cause: error })));
    child.on('close', (exitCode) => {
      if (exitCode === 0) resolve();
      else reject(new VideoEncodeError(path, complaints(log)));
    });
  });
  let failed: Error | undefined;
  async function* watched(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* frames;
    } catch (error) {
      failed = error as Error;
      child.kill();
      throw error;
    }
  }
  // Where ffmpeg ends early, its exit code and its words say more than the broken pipe.
  const fed = pipeline(Readable.from(watched()), child.stdin).catch(() => undefined);
  const [ending] = await Promise.allSettled([ended, fed]);
  if (failed !== undefined) {
    // A file of some of the frames would pass for one of all.
    await rm(path, { force: true });
    throw failed;
  }
  if (ending.status === 'rejected') throw ending.reason;
}

/**
 * Writes frames as an mp4 file: H.264, 4:2:0, its header in front. The same frames and options give the same bytes
 * with the same ffmpeg. The WebAssembly build of ffmpeg blocks the thread meanwhile, and takes all frames into memory:
 * encode many videos in worker threads.
 *
 * @param frames [T, height, width, 3], RGB, at once or in pieces of whole frames.
 * @throws RangeError for frames or options that cannot be encoded; VideoEncodeError when ffmpeg fails;
 *   FfmpegNotFoundError; what the system says when the file cannot be written; what `frames` throws, and then no file
 * is left.
 */
export async function encodeVideo(
  path: string,
  frames: Uint8Array | AsyncIterable<Uint8Array>,
  options: EncodeVideoOptions,
): Promise<void> {
  checkOptions(options);
  const checked = checkedFrames(frames, options);
  const ffmpeg = options.ffmpeg ?? (await resolveFfmpeg());
  if (ffmpeg.kind === 'wasm') await encodeWithWasm(path, checked, options, ffmpeg);
  else await encodeWithProgram(path, checked, options, ffmpeg);
}

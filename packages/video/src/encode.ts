/** Encoding of frames to a video file. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { VideoEncodeError } from './errors';
import { resolveFfmpeg, type Ffmpeg, type NativeFfmpeg, type WasmFfmpeg } from './ffmpeg';
import { complaints } from './ffmpeg-output';
import { GLOBAL_OPTIONS } from './runner';
import { wasmInstances } from './runner-wasm';

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

function checkOptions(frames: Uint8Array, options: EncodeVideoOptions): void {
  const { width, height, framesPerSecond, quality = 18, keyFrameInterval = 16 } = options;
  for (const [name, value] of Object.entries({ width, height })) {
    if (!Number.isInteger(value) || value < 2 || value % 2 !== 0) {
      throw new RangeError(
        `${name} is ${value}: H.264 with half the colours wants an even number of pixels.`,
      );
    }
  }
  const frameBytes = width * height * 3;
  if (frames.length === 0 || frames.length % frameBytes !== 0) {
    throw new RangeError(
      `frames has ${frames.length} bytes, which is no whole number of ${width}×${height} RGB frames of ${frameBytes}.`,
    );
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
  frames: Uint8Array,
  options: EncodeVideoOptions,
  ffmpeg: WasmFfmpeg,
): Promise<void> {
  const core = await (await wasmInstances(ffmpeg))();
  const log: string[] = [];
  core.setLogger(({ message }) => log.push(message));
  core.FS.writeFile('/input', frames);
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

function encodeWithProgram(
  path: string,
  frames: Uint8Array,
  options: EncodeVideoOptions,
  ffmpeg: NativeFfmpeg,
): Promise<void> {
  const args = [...GLOBAL_OPTIONS, ...inputOptions(options), '-i', 'pipe:0', ...outputOptions(options)];
  return new Promise((resolve, reject) => {
    const child = spawn(ffmpeg.path, [...args, '-y', `file:${path}`], {
      stdio: ['pipe', 'ignore', 'pipe'],
      windowsHide: true,
    });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    // Where ffmpeg ends early, its exit code and its words say more than the broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(frames);
    child.on('error', (error) => reject(new VideoEncodeError(path, error.message, { cause: error })));
    child.on('close', (exitCode) => {
      if (exitCode === 0) resolve();
      else reject(new VideoEncodeError(path, complaints(log)));
    });
  });
}

/**
 * Writes frames as an mp4 file: H.264, 4:2:0, its header in front. The same frames and options give the same bytes
 * with the same ffmpeg. The WebAssembly build of ffmpeg blocks the thread meanwhile: encode many videos in worker
 * threads.
 *
 * @param frames [T, height, width, 3], RGB.
 * @throws RangeError for frames or options that cannot be encoded; VideoEncodeError when ffmpeg fails;
 *   FfmpegNotFoundError; what the system says when the file cannot be written.
 */
export async function encodeVideo(
  path: string,
  frames: Uint8Array,
  options: EncodeVideoOptions,
): Promise<void> {
  checkOptions(frames, options);
  const ffmpeg = options.ffmpeg ?? (await resolveFfmpeg());
  if (ffmpeg.kind === 'wasm') await encodeWithWasm(path, frames, options, ffmpeg);
  else await encodeWithProgram(path, frames, options, ffmpeg);
}

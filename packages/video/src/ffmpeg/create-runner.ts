import type { Ffmpeg } from './ffmpeg.js';
import type { FfmpegRunner } from './runner.js';
import { createNativeRunner } from './runner-native.js';
import { createWasmRunner } from './runner-wasm.js';

/**
 * Makes a runner. The WebAssembly build blocks the thread while it decodes and wants a few globals: run it in a
 * worker thread.
 *
 * @param wasmModule the compiled module of a `wasm` ffmpeg, so that threads share one; compiled here if not given.
 * @param limitMs how long a run of a native one may take; by default ten minutes.
 */
export async function createRunner(
  ffmpeg: Ffmpeg,
  wasmModule?: WebAssembly.Module,
  limitMs?: number,
): Promise<FfmpegRunner> {
  return ffmpeg.kind === 'native'
    ? createNativeRunner(ffmpeg, limitMs)
    : createWasmRunner(ffmpeg, wasmModule);
}

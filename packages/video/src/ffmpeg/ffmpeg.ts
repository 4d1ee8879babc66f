/** Finds the ffmpeg to decode with. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FfmpegNotFoundError } from '../errors.js';

/** An ffmpeg program on this machine, or the WebAssembly build of `@ffmpeg/core`. */
export type Ffmpeg = NativeFfmpeg | WasmFfmpeg;

export interface NativeFfmpeg {
  kind: 'native';
  /** Path or command name of the program. */
  path: string;
  /** As the program states it, for instance `5.1.8-0+deb12u1`. */
  version: string;
  source: 'FFMPEG_PATH' | 'ffmpeg-static' | 'PATH';
  /** One line: which one and why, with what was passed over. */
  reason: string;
}

export interface WasmFfmpeg {
  kind: 'wasm';
  /** The script that carries the WebAssembly module, and the module. */
  scriptPath: string;
  wasmPath: string;
  version: string;
  source: '@ffmpeg/core';
  reason: string;
}

const run = promisify(execFile);

/** The version of an ffmpeg program. Rejects with a line that says why it does not run. */
async function nativeVersion(path: string): Promise<string> {
  let stdout: string;
  try {
    ({ stdout } = await run(path, ['-hide_banner', '-version'], { timeout: 20_000 }));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? 'is not there' : `does not run (${message.split('\n')[0]})`, {
      cause: error,
    });
  }
  const version = /^ffmpeg version (\S+)/m.exec(stdout)?.[1];
  if (version === undefined) throw new Error('does not answer `-version` as ffmpeg does');
  return version;
}

function resolveOptional(specifier: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(specifier);
  } catch {
    return undefined;
  }
}

/** The binary that the optional package `ffmpeg-static` names. It may name one that was never fetched. */
function ffmpegStaticPath(): string | undefined {
  if (resolveOptional('ffmpeg-static') === undefined) return undefined;
  const path: unknown = createRequire(import.meta.url)('ffmpeg-static');
  return typeof path === 'string' ? path : undefined;
}

/** The WebAssembly build of ffmpeg; undefined where the optional package `@ffmpeg/core` is not installed. */
export function wasmFfmpeg(reason = 'the WebAssembly build of @ffmpeg/core'): WasmFfmpeg | undefined {
  const entryPath = resolveOptional('@ffmpeg/core');
  if (entryPath === undefined) return undefined;
  // Which of its two builds is the entry depends on the conditions Node was started with; this one can be required.
  const folder = join(dirname(entryPath), '..', 'umd');
  const scriptPath = join(folder, 'ffmpeg-core.js');
  const wasmPath = join(folder, 'ffmpeg-core.wasm');
  if (!existsSync(scriptPath) || !existsSync(wasmPath)) return undefined;
  return {
    kind: 'wasm',
    scriptPath,
    wasmPath,
    version: '5.1.4',
    source: '@ffmpeg/core',
    reason,
  };
}

/**
 * Chooses ffmpeg: `FFMPEG_PATH`, then the binary of the optional package `ffmpeg-static` if it is there, then
 * `ffmpeg` on `PATH`, then the WebAssembly build of the optional package `@ffmpeg/core`, which runs anywhere.
 *
 * @throws FfmpegNotFoundError when `FFMPEG_PATH` names something that does not run (an explicit wish is never
 *   passed over), or when there is none at all.
 */
export async function resolveFfmpeg(env: NodeJS.ProcessEnv = process.env): Promise<Ffmpeg> {
  const wanted = env.FFMPEG_PATH;
  if (wanted !== undefined && wanted !== '') {
    try {
      const version = await nativeVersion(wanted);
      return {
        kind: 'native',
        path: wanted,
        version,
        source: 'FFMPEG_PATH',
        reason: `FFMPEG_PATH=${wanted}`,
      };
    } catch (error) {
      throw new FfmpegNotFoundError(
        `FFMPEG_PATH is ${JSON.stringify(wanted)}, but that program ${(error as Error).message}. ` +
          'Set it to an ffmpeg program, or unset it to let one be found.',
        { cause: error },
      );
    }
  }
  const passedOver = ['FFMPEG_PATH not set'];

  const staticPath = ffmpegStaticPath();
  if (staticPath === undefined) passedOver.push('ffmpeg-static not installed');
  else if (!existsSync(staticPath)) passedOver.push('ffmpeg-static has no binary');
  else {
    try {
      const version = await nativeVersion(staticPath);
      return { kind: 'native', path: staticPath, version, source: 'ffmpeg-static', reason: 'ffmpeg-static' };
    } catch (error) {
      passedOver.push(`the binary of ffmpeg-static ${(error as Error).message}`);
    }
  }

  try {
    const version = await nativeVersion('ffmpeg');
    const reason = `ffmpeg on PATH (${passedOver.join('; ')})`;
    return { kind: 'native', path: 'ffmpeg', version, source: 'PATH', reason };
  } catch (error) {
    passedOver.push(`ffmpeg on PATH ${(error as Error).message}`);
  }

  const wasm = wasmFfmpeg(`the WebAssembly build of @ffmpeg/core (${passedOver.join('; ')})`);
  if (wasm !== undefined) return wasm;
  throw new FfmpegNotFoundError(
    `No ffmpeg was found (${passedOver.join('; ')}; @ffmpeg/core not installed). ` +
      'Install ffmpeg, set FFMPEG_PATH to one, or install the npm package @ffmpeg/core 0.12.10.',
  );
}

/** Whether the WebCodecs decoder can be used on this machine. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptFile } from '../loader/worker-file.js';
import { DecoderProcess, WebCodecsNotFoundError } from './client.js';

const PACKAGE = '@napi-rs/webcodecs';

/** `webcodecs`: FFmpeg's decoders in processes that live on, and ffmpeg for what they cannot read; `ffmpeg` alone. */
export type DecoderName = 'webcodecs' | 'ffmpeg';

export interface WebCodecsDecoder {
  /** The script of a decoder process. */
  script: string;
  version: string;
}

/** The version of the optional package; undefined where it is not installed. */
function installedVersion(): string | undefined {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(PACKAGE);
  } catch {
    return undefined;
  }
  const manifest = join(dirname(entry), 'package.json');
  if (!existsSync(manifest)) return 'of unknown version';
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/**
 * Starts a decoder process to see whether it works.
 *
 * @throws WebCodecsNotFoundError
 */
export async function tryWebCodecs(): Promise<WebCodecsDecoder> {
  const version = installedVersion();
  if (version === undefined) throw new WebCodecsNotFoundError(`the package ${PACKAGE} is not installed`);
  const script = fileURLToPath(await scriptFile('decoder-process'));
  const process = new DecoderProcess(script);
  try {
    await process.ready();
  } finally {
    await process.close();
  }
  return { script, version };
}

let found: Promise<WebCodecsDecoder> | undefined;

/** As `tryWebCodecs`, once in this program's life. */
export function findWebCodecs(): Promise<WebCodecsDecoder> {
  return (found ??= tryWebCodecs());
}

/**
 * The decoder that is asked for: `TUBELET_DECODER`, `webcodecs` or `ffmpeg`; undefined where nothing is.
 *
 * @throws RangeError for another word.
 */
export function wantedDecoder(env: NodeJS.ProcessEnv = process.env): DecoderName | undefined {
  const wanted = env.TUBELET_DECODER;
  if (wanted === undefined || wanted === '') return undefined;
  if (wanted === 'webcodecs' || wanted === 'ffmpeg') return wanted;
  throw new RangeError(
    `TUBELET_DECODER is ${JSON.stringify(wanted)}: set it to webcodecs or ffmpeg, or unset it.`,
  );
}

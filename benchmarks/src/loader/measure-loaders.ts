import { findWebCodecs, resolveFfmpeg, wasmFfmpeg, type VideoEntry } from '@tubelet/video';
import { join } from 'node:path';
import { makeShards } from './make-shards.js';
import { makeFolders, makeVideos } from './make-videos.js';
import { measureLoader, type Contender, type LoaderResult, type LoaderWorkload } from './measure-loader.js';

/** Clips of one kind, and who decodes them. */
export interface LoaderSource extends Pick<LoaderWorkload, 'source' | 'entries'> {
  readonly contenders: readonly Contender[];
}

/** The decoders of this machine; what is missing is said on standard error. */
export async function findContenders(): Promise<Contender[]> {
  const ffmpeg = await resolveFfmpeg();
  const contenders: Contender[] = [];
  await findWebCodecs().then(
    () => contenders.push({ name: '@napi-rs/webcodecs', decoder: 'webcodecs', ffmpeg }),
    (error: unknown) => console.error(`without @napi-rs/webcodecs: ${(error as Error).message}`),
  );
  if (ffmpeg.kind === 'native') contenders.push({ name: 'ffmpeg', decoder: 'ffmpeg', ffmpeg });
  else console.error(`without an ffmpeg program: ${ffmpeg.reason}`);
  const wasm = wasmFfmpeg();
  if (wasm === undefined) console.error('without @ffmpeg/core: it is not installed');
  else contenders.push({ name: '@ffmpeg/core', decoder: 'ffmpeg', ffmpeg: wasm });
  return contenders;
}

/** Where a folder of `makeSources` holds the shards. */
export const SHARDS = 'shards';

/**
 * Makes clips in a folder: mp4 files, shards of them where there is the decoder that this takes, folders of frames.
 *
 * @param batchSize of the loaders: there are a few batches of each kind
 */
export async function makeSources(
  folder: string,
  batchSize: number,
  contenders: readonly Contender[],
): Promise<LoaderSource[]> {
  const entriesOf = (all: string[]) => all.map((path): VideoEntry => ({ path }));
  console.error('making videos …');
  const paths = await makeVideos(folder, 2 * batchSize, await resolveFfmpeg());
  const sources: LoaderSource[] = [{ source: 'mp4', entries: entriesOf(paths), contenders }];
  if (contenders.some(({ decoder }) => decoder === 'webcodecs')) {
    console.error('making shards …');
    const entries = await makeShards(join(folder, SHARDS), paths);
    sources.push({ source: 'shards', entries, contenders });
  }
  console.error('making frames …');
  const frames = await makeFolders(folder, 8 * batchSize);
  // Frames of folders are read by sharp, whatever decodes videos.
  const reader = { ...contenders[0]!, name: 'sharp' };
  return [...sources, { source: 'jpg', entries: entriesOf(frames), contenders: [reader] }];
}

/** Measures every source with each of its contenders. */
export async function measureLoaders(
  sources: readonly LoaderSource[],
  settings: Omit<LoaderWorkload, 'source' | 'entries'>,
): Promise<LoaderResult[]> {
  const results: LoaderResult[] = [];
  for (const { source, entries, contenders } of sources) {
    for (const contender of contenders) {
      console.error(`${source}, ${contender.name} …`);
      results.push(await measureLoader(contender, { source, entries, ...settings }));
    }
  }
  return results;
}

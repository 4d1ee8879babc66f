import { listVideos, resolveFfmpeg, type VideoEntry } from '@tubelet/video';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeShards } from './make-shards.js';
import { makeFolders, makeVideos } from './make-videos.js';
import type { Contender, LoaderWorkload } from './measure-loader.js';

/** Clips of one kind, and who decodes them. */
export interface LoaderSource extends Pick<LoaderWorkload, 'source' | 'entries'> {
  readonly contenders: readonly Contender[];
}

/**
 * Clips in a folder, each kind in one of its own that is called after it: mp4 files, folders of frames, and shards of
 * the mp4 files. A kind that is there is read, whoever made it; one that is not is made. Shards are read and made only
 * where there is the decoder that making them takes.
 *
 * @param batchSize of the loaders: a few batches of each kind are made
 */
export async function openSources(
  folder: string,
  batchSize: number,
  contenders: readonly Contender[],
): Promise<LoaderSource[]> {
  const made = (kind: LoaderWorkload['source'], make: (into: string) => Promise<unknown>) =>
    madeOnce(join(folder, kind), make);
  const videos = await made('mp4', async (into) => makeVideos(into, 2 * batchSize, await resolveFfmpeg()));
  // Frames of folders are read by sharp, whatever decodes videos.
  const sharp = { ...contenders[0]!, name: 'sharp' };
  const frames = await made('jpg', (into) => makeFolders(into, 8 * batchSize));
  const sources: LoaderSource[] = [
    { source: 'mp4', entries: videos, contenders },
    { source: 'jpg', entries: frames, contenders: [sharp] },
  ];
  if (contenders.some(({ decoder }) => decoder === 'webcodecs')) {
    const paths = videos.map(({ path }) => path);
    const shards = await made('shards', (into) => makeShards(into, paths));
    // Last: a checkout that makes no shards then ends early, and all turns before were taken beside its own.
    sources.push({ source: 'shards', entries: shards, contenders });
  }
  return sources;
}

/** The videos in a folder, which is made where there is none; not half, where making it is interrupted. */
export async function madeOnce(
  folder: string,
  make: (folder: string) => Promise<unknown>,
): Promise<VideoEntry[]> {
  if (!existsSync(folder)) {
    console.error(`making ${folder} …`);
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await make(unfinished);
    renameSync(unfinished, folder);
  }
  return (await listVideos(folder)).entries;
}

/** The decoders of a thread, and which of them a file is for. */
import { statSync } from 'node:fs';
import { VideoDecodeError } from '../errors.js';
import { isFrameName, probeFrameFolder } from './frame-folder.js';
import type { HeaderCache } from './header-cache.js';
import { probeVideo } from '../ffmpeg/probe.js';
import type { FfmpegRunner } from '../ffmpeg/runner.js';
import { readMemberInfo, type ShardMember } from '../shards/member.js';
import { describeTimes, FRAME_FOLDER_RATE, type VideoInfo } from './video-info.js';
import type { DecoderProcess } from '../webcodecs/client.js';
import { RefusedVideoError } from '../webcodecs/refused.js';

export interface Decoders {
  ffmpeg: FfmpegRunner;
  /** Asked first, where there is one. */
  webcodecs?: DecoderProcess;
  /** What earlier runs found out. */
  headers: HeaderCache;
}

/**
 * Looks at a video file, a folder of frames, or an image, which is a video of one frame. Video files are for the
 * WebCodecs decoder where it can surely give the frames that ffmpeg gives, for ffmpeg otherwise. What is known of a
 * video in a shard stands beside it there.
 *
 * @throws VideoDecodeError when it is missing, no video, empty, or cut short.
 */
export async function probe(decoders: Decoders, path: string, member?: ShardMember): Promise<VideoInfo> {
  if (member !== undefined) return readMemberInfo(path, member);
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) throw new VideoDecodeError(path, 'there is no such file');
  if (entry.isDirectory()) return probeFrameFolder(path);
  if (entry.size === 0) throw new VideoDecodeError(path, 'the file is empty');
  if (isFrameName(path)) return probeFrameFolder(path);
  return (
    decoders.headers.find(path, entry) ??
    decoders.headers.remember(await probeVideoFile(decoders, path), entry)
  );
}

async function probeVideoFile({ ffmpeg, webcodecs }: Decoders, path: string): Promise<VideoInfo> {
  if (webcodecs === undefined) return probeVideo(ffmpeg, { path });
  try {
    const { times, ...found } = await webcodecs.ask({ kind: 'probe', path });
    return { path, kind: 'video', seekable: true, ...found, ...describeTimes(times, FRAME_FOLDER_RATE) };
  } catch (error) {
    if (!(error instanceof RefusedVideoError)) throw error;
    return probeVideo(ffmpeg, { path });
  }
}

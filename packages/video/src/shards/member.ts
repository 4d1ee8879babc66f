/** A video in a shard: where it lies there, and what is known of it. */
import { open } from 'node:fs/promises';
import { isSystemFailure, VideoDecodeError } from '../errors.js';
import { checkStoredInfo, restoreInfo, type StoredInfo } from '../decode/header-cache.js';
import type { VideoInfo } from '../decode/video-info.js';

/** Where a video lies in a shard, in bytes, with the description in front of it. */
export interface ShardMember {
  /** Path of the tar file. */
  shard: string;
  /** The contents of `key.json`. */
  description: { begin: number; length: number };
  /** The contents of `key.mp4`. */
  video: { begin: number; length: number };
}

/** What `key.json` says. */
export interface ClipDescription {
  /** The video that it was made of. */
  source: string;
  label?: string;
  frames: number;
  framesPerSecond: number;
  /** For the loader, which so need not look at the video before it decodes it. */
  header: StoredInfo;
}

/**
 * Reads what is known of a video.
 *
 * @throws VideoDecodeError where the shard is damaged
 */
export async function readMemberInfo(path: string, member: ShardMember): Promise<VideoInfo> {
  const { shard, description, video } = member;
  const bytes = Buffer.alloc(description.length);
  let header: StoredInfo;
  try {
    const file = await open(shard, 'r');
    try {
      await file.read(bytes, 0, bytes.length, description.begin);
    } finally {
      await file.close();
    }
    ({ header } = JSON.parse(bytes.toString()) as ClipDescription);
    checkStoredInfo(header, video.length);
  } catch (error) {
    if (isSystemFailure(error)) throw error;
    const reason = (error as Error).message;
    throw new VideoDecodeError(path, `its description in the shard cannot be read (${reason})`);
  }
  return { ...restoreInfo(path, header), part: { path: shard, ...video } };
}

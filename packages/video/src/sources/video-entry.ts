/** A video of a data set. */
import type { ShardMember } from '../shards/member.js';

/** A stretch of a video, from `startSeconds` (0 by default) up to `endSeconds` (its end by default), excluded. */
export interface TimeRange {
  startSeconds?: number;
  endSeconds?: number;
}

/** A video file or a folder of frames. */
export interface VideoEntry {
  /** Absolute. */
  path: string;
  /** As the list file gives it. */
  label?: string;
  /** The part to use; all of it by default. */
  timeRange?: TimeRange;
  /** Of a video in a shard: where it lies; `path` is then the shard with the name of the video in it. */
  member?: ShardMember;
}

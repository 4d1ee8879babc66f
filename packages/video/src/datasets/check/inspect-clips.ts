/** Looks at all clips of a data set on the disk, some at a time. */
import type { Ffmpeg } from '../../ffmpeg/ffmpeg.js';
import { DecoderPool } from '../../loader/pool.js';
import type { LabelledVideo } from '../dataset.js';
import { forEachConcurrently } from './concurrent.js';
import type { Finding } from './finding.js';
import { FrameSizes } from './frame-sizes.js';
import { inspectClip, type InspectOptions } from './inspect-clip.js';

export interface InspectClipsOptions extends Omit<InspectOptions, 'decoder'> {
  /** Clips that are looked at together. */
  readonly concurrency: number;
  readonly ffmpeg?: Ffmpeg;
  /** Called after each clip. */
  readonly onProgress?: (checkedClips: number, totalClips: number) => void;
}

/** What the clips of a data set hold. */
export interface InspectedClips {
  /** In the order of the clips. */
  readonly findings: Finding[];
  /** Of clips with frames, in the order in which they were done. */
  readonly frameCounts: number[];
  readonly sizes: FrameSizes;
  /** Clips by their content. */
  readonly byFingerprint: Map<string, LabelledVideo[]>;
}

/**
 * Looks at every clip once.
 *
 * @throws FfmpegNotFoundError when there are video files to open and no ffmpeg
 */
export async function inspectClips(
  clips: readonly LabelledVideo[],
  { concurrency, ffmpeg, onProgress, ...options }: InspectClipsOptions,
): Promise<InspectedClips> {
  const findings: Finding[][] = [];
  const frameCounts: number[] = [];
  const fingerprints: (string | undefined)[] = [];
  const sizes: ({ readonly width: number; readonly height: number } | undefined)[] = [];
  let pool: Promise<DecoderPool> | undefined;
  const decoder = () => (pool ??= DecoderPool.open({ ffmpeg }));
  let done = 0;
  try {
    await forEachConcurrently(clips, concurrency, async (video, index) => {
      const inspection = await inspectClip(video, { ...options, decoder });
      if (inspection.findings.length > 0) findings[index] = [...inspection.findings];
      if (inspection.frameCount) frameCounts.push(inspection.frameCount);
      sizes[index] = inspection.size;
      fingerprints[index] = inspection.fingerprint;
      onProgress?.(++done, clips.length);
    });
  } finally {
    await (await pool?.catch(() => undefined))?.close();
  }
  // Put together in the order of the clips, whichever was done first: the same copy gives the same report.
  const frameSizes = new FrameSizes();
  const byFingerprint = new Map<string, LabelledVideo[]>();
  for (const [index, video] of clips.entries()) {
    const size = sizes[index];
    if (size !== undefined) frameSizes.add(video, size);
    const fingerprint = fingerprints[index];
    if (fingerprint === undefined) continue;
    const same = byFingerprint.get(fingerprint);
    if (same === undefined) byFingerprint.set(fingerprint, [video]);
    else same.push(video);
  }
  return { findings: findings.flat(), frameCounts, sizes: frameSizes, byFingerprint };
}

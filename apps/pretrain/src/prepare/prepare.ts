import {
  createCounter,
  createProgress,
  formatDuration,
  OptionError,
  stopOnSignals,
  UserError,
} from '@tubelet/trainer';
import { formatBytes } from '@tubelet/kernels';
import { openFaceDetector, REJECTS_NAME, ShardMaker, type BadFile, type ShardEstimate } from '@tubelet/video';
import { existsSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PrepareOptions } from './prepare-options.js';
import type { FoundVideos } from '../shared/sources.js';

/** Sources that the estimate looks at: so many, and of few sources a quarter. */
const SAMPLE = 16;

/**
 * Makes shards of videos, or says what they would take.
 *
 * @param open gives the detector for faces
 */
export async function prepare(
  { entries, skipped, crop: frameCrop, notes }: FoundVideos,
  options: PrepareOptions,
  open: typeof openFaceDetector = openFaceDetector,
): Promise<void> {
  const { out, imageSize: size, keyFrameInterval, shardSize, workers } = options;
  if (size % 2 !== 0) throw new OptionError('--image-size', size, 'an even number, for the colours of H.264');
  const { note } = createProgress();
  notes.forEach(note);
  note(`sources: ${entries.length}; other files, which are left out: ${skipped.length}`);
  const detector = options.crop === 'face' ? await open(note, workers) : undefined;
  let maker: ShardMaker | undefined;
  try {
    maker = await ShardMaker.open({
      ...{ entries, skipped, size, keyFrameInterval, shardBytes: shardSize, workers, detector },
      crop: detector === undefined ? frameCrop : 'face',
    });
    note(`decoder: ${maker.decoder}`);
    // What is there already says more than an estimate.
    if (!options.resume || options.dryRun) {
      const estimate = await maker.estimate(Math.min(SAMPLE, Math.ceil(entries.length / 4)));
      note(describeEstimate(estimate, entries.length));
      requireSpace(out, estimate);
    }
    if (!options.dryRun) await makeShards(maker, entries.length, skipped.length, options, note);
  } finally {
    await maker?.close();
    await detector?.close();
  }
}

function describeEstimate(
  { sampled, rejected, lengthBytes, seconds }: ShardEstimate,
  sources: number,
): string {
  const left = rejected > 0 ? `, ${rejected} of which cannot be used` : '';
  return (
    `from ${sampled} of ${sources} sources${left}: about ${formatBytes(lengthBytes)}, ` +
    `in ${formatDuration(1000 * seconds)} on this machine as it is now`
  );
}

/** @throws UserError where the disk of `out` has less room than the shards will take */
function requireSpace(out: string, { lengthBytes }: ShardEstimate): void {
  let folder = resolve(out);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= lengthBytes) return;
  throw new UserError(
    `${out} has ${formatBytes(bavail * bsize)} left, and the shards take about ${formatBytes(lengthBytes)}: ` +
      'choose another disk, a smaller --image-size or a longer --key-frame-interval.',
  );
}

async function makeShards(
  maker: ShardMaker,
  sources: number,
  skipped: number,
  { out, resume }: PrepareOptions,
  note: (message: string) => void,
): Promise<void> {
  const stop = stopOnSignals(note, 'finishing the clips under way');
  const counter = createCounter('sources');
  try {
    let first: number | undefined;
    const onProgress = (done: number, rejected: BadFile | undefined) => {
      if (rejected !== undefined) counter.note(`leaving out ${rejected.path}: ${rejected.reason}`);
      first ??= done - 1;
      counter.update(done - first, sources - first);
    };
    const { finished, progress } = await maker.write(out, resume, onProgress, () => stop.requested);
    counter.stop();
    const { clips, shards, lengthBytes, rejected } = progress;
    const summary = `${clips} clips in ${shards} shards, ${formatBytes(lengthBytes)}`;
    if (!finished) {
      console.log(`stopped: ${summary}\nthe same command with --resume goes on from here`);
      return;
    }
    console.log(`${summary} in ${out}`);
    const left = skipped + rejected.length;
    if (left > 0) console.log(`left out ${left} files: ${join(out, REJECTS_NAME)} says why`);
  } finally {
    counter.stop();
    stop.dispose();
  }
}

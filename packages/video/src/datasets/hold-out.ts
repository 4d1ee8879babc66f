import { PhiloxStream } from '@tubelet/kernels';
import type { LabelledVideo } from './dataset.js';
import { Purpose } from '../stream-purposes.js';

export interface HoldOutOptions {
  /** Of the videos, above 0 and below 1. */
  readonly share: number;
  readonly seed: number;
}

export interface HoldOut {
  /** Both parts keep the order of the videos. */
  readonly train: readonly LabelledVideo[];
  readonly validation: readonly LabelledVideo[];
  /** `subject`: nobody is in both parts. `class`: each class is divided in the same ratio. */
  readonly by: 'subject' | 'class';
}

/** The videos of each value of a key. */
function groups<K>(
  videos: readonly LabelledVideo[],
  keyOf: (video: LabelledVideo) => K,
): Map<K, LabelledVideo[]> {
  const grouped = new Map<K, LabelledVideo[]>();
  for (const video of videos) {
    const group = grouped.get(keyOf(video));
    if (group === undefined) grouped.set(keyOf(video), [video]);
    else group.push(video);
  }
  return grouped;
}

/**
 * Chooses subjects in a random order for as long as that brings the held-out share closer to the one wanted, one at
 * least. A subject without whom a class would have no video left stays in training.
 */
function chooseBySubject(videos: readonly LabelledVideo[], { share, seed }: HoldOutOptions): LabelledVideo[] {
  const subjects = [...groups(videos, ({ subject }) => subject as string)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  new PhiloxStream({ seed, purpose: Purpose.holdOut }).shuffle(subjects);
  const left = new Map(
    [...groups(videos, ({ label }) => label)].map(([label, { length }]) => [label, length]),
  );
  const wanted = share * videos.length;
  const held: LabelledVideo[] = [];
  for (const [, ofSubject] of subjects) {
    if (held.length > 0 && held.length + ofSubject.length / 2 > wanted) break;
    const ofClass = groups(ofSubject, ({ label }) => label);
    if ([...ofClass].some(([label, { length }]) => left.get(label) === length)) continue;
    for (const [label, { length }] of ofClass) left.set(label, (left.get(label) as number) - length);
    held.push(...ofSubject);
  }
  return held;
}

/** Chooses the share of each class that has two videos or more, one at least and never all. */
function chooseByClass(videos: readonly LabelledVideo[], { share, seed }: HoldOutOptions): LabelledVideo[] {
  const held: LabelledVideo[] = [];
  for (const [label, ofClass] of groups(videos, (video) => video.label)) {
    const count = Math.min(Math.max(Math.round(share * ofClass.length), 1), ofClass.length - 1);
    new PhiloxStream({ seed, purpose: Purpose.holdOut, sample: label }).shuffle(ofClass);
    held.push(...ofClass.slice(0, count));
  }
  return held;
}

/**
 * Holds videos out of training for validation: whole subjects where the subject of every video is known and there
 * are two at least, otherwise the same share of each class. The choice depends on the videos and the seed alone. All
 * classes stay in training; a class with a single video has none for validation.
 *
 * @throws RangeError for a share outside (0, 1), and where no video can be held out without leaving a class empty.
 */
export function holdOut(train: readonly LabelledVideo[], options: HoldOutOptions): HoldOut {
  const { share } = options;
  if (!(share > 0 && share < 1)) {
    throw new RangeError(`share is ${share}: give the part of the videos to hold out, above 0 and below 1.`);
  }
  const subjects = new Set(train.map(({ subject }) => subject));
  const by = subjects.size >= 2 && !subjects.has(undefined) ? 'subject' : 'class';
  const held = new Set(by === 'subject' ? chooseBySubject(train, options) : chooseByClass(train, options));
  if (held.size === 0) {
    throw new RangeError(
      `None of ${train.length} videos can be held out for validation without leaving ` +
        (by === 'subject'
          ? 'a class without videos: every subject is the only one of some class. Add subjects, or leave the ' +
            'subjects out so that the split goes by class.'
          : 'a class without videos: no class has two. Add videos, or validate on the test part.'),
    );
  }
  return {
    train: train.filter((video) => !held.has(video)),
    validation: train.filter((video) => held.has(video)),
    by,
  };
}

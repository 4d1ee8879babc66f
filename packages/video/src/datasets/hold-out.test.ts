import { describe, expect, it } from 'vitest';
import type { LabelledVideo } from './dataset.js';
import { holdOut } from './hold-out.js';
import { labelCounts } from './label-counts.js';

/** Videos of these labels; `subjectOf` names who is seen. */
function videos(labels: readonly number[], subjectOf?: (index: number) => string): LabelledVideo[] {
  return labels.map((label, index) => ({
    id: `v${index}`,
    path: `/v${index}`,
    label,
    ...(subjectOf === undefined ? {} : { subject: subjectOf(index) }),
  }));
}

const repeat = (count: number, label: number) => new Array<number>(count).fill(label);
const ids = (list: readonly LabelledVideo[]) => list.map(({ id }) => id);
const CLASSES = ['a', 'b', 'c'];

describe('holdOut by class', () => {
  const all = videos([...repeat(40, 0), ...repeat(20, 1), ...repeat(3, 2)]);

  it('takes the share of each class, one at least', () => {
    const { train, validation, by } = holdOut(all, { share: 0.1, seed: 0 });
    expect(by).toBe('class');
    expect(labelCounts(validation, CLASSES)).toEqual([4, 2, 1]);
    expect(labelCounts(train, CLASSES)).toEqual([36, 18, 2]);
    expect([...ids(train), ...ids(validation)].sort()).toEqual(ids(all).sort());
  });

  it('keeps the order of the videos, and depends on the seed alone', () => {
    const first = holdOut(all, { share: 0.3, seed: 5 });
    expect(holdOut(all, { share: 0.3, seed: 5 })).toEqual(first);
    expect(holdOut(all, { share: 0.3, seed: 6 }).validation).not.toEqual(first.validation);
    for (const part of [first.train, first.validation]) {
      expect(ids(part)).toEqual(ids(all.filter((video) => part.includes(video))));
    }
  });

  it('draws the classes apart: more videos of one leave the choice in the others', () => {
    const more = [...all, ...videos(repeat(7, 0)).map((video) => ({ ...video, id: `more-${video.id}` }))];
    const ofB = (list: readonly LabelledVideo[]) =>
      ids(holdOut(list, { share: 0.3, seed: 1 }).validation.filter(({ label }) => label === 1));
    expect(ofB(more)).toEqual(ofB(all));
  });

  it('never takes all of a class, nor the only video of one', () => {
    const few = videos([0, 0, 1, 2, 2]);
    const { train, validation } = holdOut(few, { share: 0.99, seed: 0 });
    expect(labelCounts(train, CLASSES)).toEqual([1, 1, 1]);
    expect(labelCounts(validation, CLASSES)).toEqual([1, 0, 1]);
  });

  it('is what happens when the subject of a video is not known, or all videos are of one', () => {
    const [first, ...rest] = videos(repeat(8, 0), (index) => `p${index}`);
    const { subject: _, ...unknown } = first as LabelledVideo;
    expect(holdOut([unknown, ...rest], { share: 0.5, seed: 0 }).by).toBe('class');
    expect(
      holdOut(
        videos(repeat(8, 0), () => 'p'),
        { share: 0.5, seed: 0 },
      ).by,
    ).toBe('class');
  });
});

describe('holdOut by subject', () => {
  const labels = Array.from({ length: 60 }, (_, index) => index % 3);
  const all = videos(labels, (index) => `p${Math.floor(index / 6)}`);
  const subjects = (list: readonly LabelledVideo[]) => [...new Set(list.map(({ subject }) => subject))];

  it('takes whole subjects, near to the share', () => {
    const { train, validation, by } = holdOut(all, { share: 0.2, seed: 3 });
    expect(by).toBe('subject');
    expect(validation).toHaveLength(12);
    expect(subjects(validation)).toHaveLength(2);
    expect(subjects(train)).toHaveLength(8);
    expect(ids(train)).toEqual(ids(all.filter((video) => train.includes(video))));
  });

  it('depends on the seed alone, not on the order of the videos', () => {
    const chosen = subjects(holdOut(all, { share: 0.2, seed: 3 }).validation).sort();
    expect(subjects(holdOut([...all].reverse(), { share: 0.2, seed: 3 }).validation).sort()).toEqual(chosen);
    const others = [4, 5, 6].map((seed) => subjects(holdOut(all, { share: 0.2, seed }).validation).sort());
    expect(others.some((other) => other.join() !== chosen.join())).toBe(true);
  });

  it('takes one subject where the share is small, and leaves one where it is large', () => {
    expect(subjects(holdOut(all, { share: 0.001, seed: 0 }).validation)).toHaveLength(1);
    expect(subjects(holdOut(all, { share: 0.999, seed: 0 }).train)).toHaveLength(1);
  });

  it('leaves the only subject of a class in training', () => {
    const list = videos(
      [0, 1, 0, 0, 2, 0, 1, 1],
      (index) => ['x', 'x', 'y', 'y', 'z', 'z', 'y', 'y'][index] as string,
    );
    for (let seed = 0; seed < 10; seed++) {
      const { train, validation } = holdOut(list, { share: 0.3, seed });
      expect(Math.min(...labelCounts(train, CLASSES))).toBeGreaterThan(0);
      expect(subjects(validation)).not.toContain('z');
    }
  });
});

describe('holdOut refuses', () => {
  it.each([0, 1, -0.1, 1.5, NaN])('the share %d', (share) => {
    expect(() => holdOut(videos([0, 0]), { share, seed: 0 })).toThrow(RangeError);
    expect(() => holdOut(videos([0, 0]), { share, seed: 0 })).toThrow(`share is ${share}`);
  });

  it('what would leave a class empty', () => {
    const alone = videos([0, 1, 2]);
    expect(() => holdOut(alone, { share: 0.5, seed: 0 })).toThrow(
      'None of 3 videos can be held out for validation without leaving a class without videos: no class has two.',
    );
    const apart = videos([0, 0, 1, 1], (index) => (index < 2 ? 'x' : 'y'));
    expect(() => holdOut(apart, { share: 0.5, seed: 0 })).toThrow(
      /every subject is the only one of some class/,
    );
    expect(() => holdOut([], { share: 0.5, seed: 0 })).toThrow(RangeError);
  });
});

describe('labelCounts', () => {
  it('counts the videos of each class', () => {
    expect(labelCounts(videos([2, 0, 2]), CLASSES)).toEqual([1, 0, 2]);
  });

  it('refuses labels outside the classes', () => {
    expect(() => labelCounts(videos([0, 3]), CLASSES)).toThrow('label of v1 is 3: there are classes 0 to 2.');
  });
});

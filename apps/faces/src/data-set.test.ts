import { describe, expect, it } from 'vitest';
import { CLASSES } from './action-units.js';
import { labelFiles, planClips, subjectFolds, type FaceDataSettings } from './data-set.js';

const settings: FaceDataSettings = {
  variety: 0.5,
  hold: 0,
  seed: 3,
  subjects: 13,
  clipsPerClass: 2,
  size: 32,
  frames: 8,
  framesPerSecond: 8,
  folds: 5,
};

describe('subjectFolds', () => {
  it('deals people out evenly, differently for each seed', () => {
    const folds = subjectFolds(settings);
    const sizes = [1, 2, 3, 4, 5].map((fold) => folds.filter((one) => one === fold).length);
    expect(sizes.reduce((a, b) => a + b)).toBe(13);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(subjectFolds({ ...settings, seed: 4 })).not.toEqual(folds);
  });
});

describe('planClips', () => {
  const clips = planClips(settings);

  it('has every class equally often in every fold, and every person in one fold', () => {
    expect(clips).toHaveLength(13 * 7 * 2);
    const foldsOf = new Map<string, Set<number>>();
    const counts = new Map<string, number>();
    for (const { subject, fold, expression } of clips) {
      foldsOf.set(subject, (foldsOf.get(subject) ?? new Set()).add(fold));
      counts.set(`${fold} ${expression}`, (counts.get(`${fold} ${expression}`) ?? 0) + 1);
    }
    expect([...foldsOf.values()].every((folds) => folds.size === 1)).toBe(true);
    for (let fold = 1; fold <= 5; fold++) {
      const perClass = CLASSES.map((expression) => counts.get(`${fold} ${expression}`));
      expect(perClass[0]).toBeGreaterThan(0);
      expect(new Set(perClass).size).toBe(1);
    }
  });

  it('gives each clip a path and a number of its own', () => {
    expect(new Set(clips.map(({ path }) => path)).size).toBe(clips.length);
    expect(new Set(clips.map(({ clip }) => clip)).size).toBe(clips.length);
  });

  it('keeps the clips there were when people and clips are added', () => {
    const more = planClips({ ...settings, subjects: 20, clipsPerClass: 3 });
    for (const { path, clip } of clips) expect(more.find((one) => one.path === path)?.clip).toBe(clip);
  });
});

describe('labelFiles', () => {
  it('lists for each fold what it may be trained on', () => {
    const clips = planClips(settings);
    const files = labelFiles(settings, clips);
    expect(files['classes.txt']).toBe('happy\nsad\nneutral\nangry\nsurprise\ndisgust\nfear\n');
    expect(files['faces.csv']?.split('\n').slice(0, 2)).toEqual([
      'path,label,fold,subject',
      `clips/person-01/happy-1.mp4,happy,${clips[0]?.fold},person-01`,
    ]);
    for (let fold = 1; fold <= 5; fold++) {
      const listed = files[`train-fold-${fold}.txt`]?.trimEnd().split('\n');
      expect(listed).toEqual(clips.filter((clip) => clip.fold !== fold).map(({ path }) => path));
    }
  });
});

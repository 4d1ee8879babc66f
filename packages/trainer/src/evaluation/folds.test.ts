import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { evaluationOf, type Evaluation } from './evaluation.js';
import { meanOfFolds, mergeFolds } from './folds.js';
import { scoresOf } from './testing/scores.js';

function foldOf(fold: number, confusion: number[][], prefix = `${fold}/`): Evaluation {
  const subject = {
    dataset: 'DFEW',
    fold,
    part: 'test',
    checkpoint: `fold-${fold}.safetensors`,
    clipsPerVideo: 2,
    classNames: ['happy', 'sad'],
    leftOut: [],
  };
  return evaluationOf(subject, scoresOf(confusion, prefix));
}

const FIRST = foldOf(1, [
  [4, 0],
  [2, 2],
]);
const SECOND = foldOf(2, [
  [1, 1],
  [0, 4],
]);

describe('meanOfFolds', () => {
  it('gives the published totals from the published folds', () => {
    const dfew = meanOfFolds([
      { uar: 62.59, war: 74.88 },
      { uar: 61.96, war: 72.49 },
      { uar: 64.0, war: 74.91 },
      { uar: 63.07, war: 74.05 },
      { uar: 65.42, war: 75.81 },
    ]);
    expect([dfew.uar.toFixed(2), dfew.war.toFixed(2)]).toEqual(['63.41', '74.43']);
    const mafw = meanOfFolds([
      { uar: 36.11, war: 46.71 },
      { uar: 42.37, war: 54.82 },
      { uar: 46.25, war: 58.87 },
      { uar: 45.42, war: 59.5 },
      { uar: 41.66, war: 55.27 },
    ]);
    expect([mafw.uar.toFixed(2), mafw.war.toFixed(2)]).toEqual(['42.36', '55.03']);
  });
});

describe('mergeFolds', () => {
  it('pools predictions and averages folds', () => {
    const merged = mergeFolds([SECOND, FIRST]);
    expect(merged.folds.map(({ fold }) => fold)).toEqual([1, 2]);
    expect(merged.pooled.confusion).toEqual([
      [5, 1],
      [2, 6],
    ]);
    expect(merged.pooled.uar).toBeCloseTo((5 / 6 + 6 / 8) / 2, 14);
    expect(merged.pooled.war).toBeCloseTo(11 / 14, 14);
    expect(merged.meanUar).toBeCloseTo(((1 + 0.5) / 2 + (0.5 + 1) / 2) / 2, 14);
    expect(merged.meanWar).toBeCloseTo((6 / 8 + 5 / 6) / 2, 14);
    expect(merged.repeatedVideos).toBe(0);
  });

  it('counts videos that are in several folds', () => {
    expect(mergeFolds([FIRST, { ...FIRST, fold: 2 }]).repeatedVideos).toBe(8);
  });

  it('refuses folds that do not belong together', () => {
    expect(() => mergeFolds([])).toThrow(UserError);
    expect(() => mergeFolds([FIRST, FIRST])).toThrow('fold 1 is there twice');
    expect(() => mergeFolds([FIRST, { ...SECOND, clipsPerVideo: 4 }])).toThrow(
      /clipsPerVideo is 2 in fold 1 and 4 in fold 2/,
    );
    expect(() => mergeFolds([FIRST, { ...SECOND, classNames: ['sad', 'happy'] }])).toThrow(/classNames/);
  });
});

describe('evaluationOf', () => {
  it('is plain data: JSON brings it back as it was', () => {
    expect(JSON.parse(JSON.stringify(FIRST))).toEqual(FIRST);
  });
});

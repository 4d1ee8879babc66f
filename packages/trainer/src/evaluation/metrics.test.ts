import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { classificationMetrics, mean, metricsOfConfusion } from './metrics.js';
import { randomScores, scoresOf } from './testing/scores.js';

describe('classificationMetrics', () => {
  it('agrees with numbers worked by hand', () => {
    // Truth a: 3 right, 1 as b. Truth b: 1 right, 1 as c. Truth c: 2 right, 2 as a.
    const confusion = [
      [3, 1, 0],
      [0, 1, 1],
      [2, 0, 2],
    ];
    const metrics = classificationMetrics(scoresOf(confusion), ['a', 'b', 'c']);
    expect(metrics.count).toBe(10);
    expect(metrics.confusion).toEqual(confusion);
    expect(metrics.perClass.map(({ support }) => support)).toEqual([4, 2, 4]);
    expect(metrics.perClass.map(({ recall }) => recall)).toEqual([0.75, 0.5, 0.5]);
    expect(metrics.perClass.map(({ precision }) => precision)).toEqual([0.6, 0.5, expect.closeTo(2 / 3, 14)]);
    const f1 = [2 / 3, 0.5, 4 / 7];
    expect(metrics.perClass.map((one) => one.f1)).toEqual(f1.map((value) => expect.closeTo(value, 14)));
    expect(metrics.uar).toBeCloseTo(1.75 / 3, 14);
    expect(metrics.war).toBeCloseTo(0.6, 14);
    expect(metrics.microF1).toBeCloseTo(0.6, 14);
    expect(metrics.macroF1).toBeCloseTo(mean(f1), 14);
    expect(metrics.weightedF1).toBeCloseTo(0.4 * (2 / 3) + 0.2 * 0.5 + 0.4 * (4 / 7), 14);
    expect(metrics).not.toHaveProperty('top5');
  });

  it('leaves classes without videos out of UAR and says so', () => {
    const confusion = [
      [3, 0, 1, 0],
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    const { uar, macroF1, perClass } = classificationMetrics(scoresOf(confusion), ['a', 'b', 'c', 'd']);
    expect(uar).toBeCloseTo((0.75 + 0.5) / 2, 14);
    expect(perClass[2]).toEqual({ name: 'c', support: 0, recall: null, precision: 0, f1: 0 });
    expect(perClass[3]).toEqual({ name: 'd', support: 0, recall: null, precision: null, f1: null });
    // F1 of a = 6/8, of b = 2/3, of c = 0: predicted, never right; d has none.
    expect(macroF1).toBeCloseTo((0.75 + 2 / 3) / 3, 14);
  });

  it('counts the true class among the five most probable', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const probabilities = [0.3, 0.2, 0.15, 0.12, 0.1, 0.1, 0.03];
    const scores = [0, 4, 5, 6].map((label) => ({ id: `v${label}`, label, probabilities, predicted: 0 }));
    // e and f are equally probable: the first of them is the fifth.
    expect(classificationMetrics(scores, names).top5).toBe(0.5);
  });

  it.each([1, 2, 3, 4, 5])('has the properties that every confusion matrix has, seed %i', (seed) => {
    const classes = 3 + seed;
    const names = Array.from({ length: classes }, (_, k) => `class ${k}`);
    const scores = randomScores(40 * seed, classes, seed);
    const metrics = classificationMetrics(scores, names);
    const supports = metrics.confusion.map((row) => row.reduce((total, value) => total + value, 0));
    expect(supports.reduce((total, value) => total + value, 0)).toBe(scores.length);
    expect(metrics.war).toBeCloseTo(scores.filter((s) => s.label === s.predicted).length / scores.length, 12);
    expect(metrics.microF1).toBeCloseTo(metrics.war, 12);
    // WAR is the mean of the recalls with the supports as weights.
    const weighted = metrics.perClass.map(({ recall, support }) => ((recall ?? 0) * support) / scores.length);
    expect(weighted.reduce((total, value) => total + value, 0)).toBeCloseTo(metrics.war, 12);
    for (const { recall, precision, f1 } of metrics.perClass) {
      const harmonic = recall && precision ? (2 * recall * precision) / (recall + precision) : 0;
      expect(f1).toBeCloseTo(harmonic, 12);
    }
    if (classes > 5) expect(metrics.top5).toBeGreaterThanOrEqual(metrics.war);

    // With other numbers for the classes, everything but the order stays the same.
    const moved = (label: number): number => (label + 1) % classes;
    const renamed = scores.map(({ id, label, predicted, probabilities }) => ({
      id,
      label: moved(label),
      predicted: moved(predicted),
      probabilities: [probabilities.at(-1) ?? 0, ...probabilities.slice(0, -1)],
    }));
    const again = classificationMetrics(renamed, names);
    expect(again.uar).toBeCloseTo(metrics.uar, 12);
    expect(again.macroF1).toBeCloseTo(metrics.macroF1, 12);
    expect(again.weightedF1).toBeCloseTo(metrics.weightedF1, 12);
  });

  it('is 1 throughout when every video is right', () => {
    const metrics = metricsOfConfusion(
      [
        [5, 0],
        [0, 2],
      ],
      ['a', 'b'],
    );
    expect(metrics).toMatchObject({ uar: 1, war: 1, weightedF1: 1, microF1: 1, macroF1: 1 });
  });

  it('refuses what has no class', () => {
    const score = { id: 'x.mp4', label: 0, predicted: 0, probabilities: [0.5, 0.5] };
    expect(() => classificationMetrics([], ['a', 'b'])).toThrow(UserError);
    expect(() => classificationMetrics([{ ...score, label: undefined }], ['a', 'b'])).toThrow(
      'x.mp4 has no label',
    );
    expect(() => classificationMetrics([{ ...score, label: 2 }], ['a', 'b'])).toThrow('label 2');
    expect(() => classificationMetrics([score], ['a', 'b', 'c'])).toThrow('2 probabilities for 3 classes');
  });
});

describe('mean', () => {
  it('is how UAR follows from recalls: the published ones of DFEW give the published total', () => {
    const recalls = [92.92, 77.46, 74.56, 76.94, 60.99, 18.62, 42.35];
    expect(Number(mean(recalls).toFixed(2))).toBe(63.41);
  });
});

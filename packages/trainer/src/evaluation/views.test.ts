import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { mergeViews, softmax } from './views.js';

describe('softmax', () => {
  it('is right by hand and does not overflow', () => {
    expect(softmax([0, Math.log(3)])).toEqual([expect.closeTo(0.25, 14), expect.closeTo(0.75, 14)]);
    expect(softmax([1000, 1000])).toEqual([0.5, 0.5]);
  });
});

describe('mergeViews', () => {
  it('averages probabilities, not logits', () => {
    // Probabilities (0.9, 0.1) and (0.4, 0.6): mean (0.65, 0.35).
    const [video] = mergeViews([
      { id: 'a', clip: 0, logits: [Math.log(9), 0], label: 1 },
      { id: 'a', clip: 1, logits: [0, Math.log(1.5)], label: 1 },
    ]);
    expect(video).toMatchObject({ id: 'a', label: 1, predicted: 0, views: 2, duplicates: 0 });
    expect(video?.probabilities).toEqual([expect.closeTo(0.65, 14), expect.closeTo(0.35, 14)]);
    // The mean of these logits is above 0, which would be class 0.
    const [other] = mergeViews(
      [0.999, 0.2, 0.2].map((p, clip) => ({ id: 'b', clip, logits: [Math.log(p), Math.log(1 - p)] })),
    );
    expect(other?.probabilities[0]).toBeCloseTo(1.399 / 3, 12);
    expect(other?.predicted).toBe(1);
  });

  it('takes a view with the same clip and crop once, and counts the others', () => {
    const view = { id: 'a', clip: 0, logits: [Math.log(3), 0] };
    const other = { id: 'a', clip: 0, crop: 1, logits: [0, 0] };
    const [video] = mergeViews([view, { ...view, crop: 0, logits: [0, 9] }, other, other]);
    expect(video).toMatchObject({ views: 2, duplicates: 2 });
    expect(video?.probabilities[0]).toBeCloseTo((0.75 + 0.5) / 2, 14);
    expect(video).not.toHaveProperty('label');
  });

  it('keeps the order of first views, and gives the same for any order of views', () => {
    const views = ['b', 'a', 'b', 'c', 'a'].map((id, i) => ({ id, clip: i, logits: [i, -i, 0.5] }));
    const scores = mergeViews(views);
    expect(scores.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
    const backwards = new Map(mergeViews(views.toReversed()).map((score) => [score.id, score]));
    for (const { id, probabilities } of scores) {
      for (const [k, p] of probabilities.entries())
        expect(backwards.get(id)?.probabilities[k]).toBeCloseTo(p, 14);
    }
  });

  it('takes the first of equal probabilities', () => {
    expect(mergeViews([{ id: 'a', clip: 0, logits: [0, 1, 1] }])[0]?.predicted).toBe(1);
  });

  it('refuses what cannot be averaged', () => {
    const view = { id: 'a', clip: 0, logits: [0, 1], label: 0 };
    expect(() => mergeViews([{ ...view, logits: [0, NaN] }])).toThrow(UserError);
    expect(() => mergeViews([{ ...view, logits: [0, NaN] }])).toThrow(
      /clip 0, crop 0 of a: the logit of class 1 is NaN/,
    );
    expect(() => mergeViews([view, { ...view, clip: 1, logits: [1, 2, 3] }])).toThrow(/3 logits.*2/);
    expect(() => mergeViews([view, { ...view, clip: 1, label: 1 }])).toThrow(/label 1.*0/);
    expect(() => mergeViews([{ ...view, logits: [] }])).toThrow(RangeError);
  });
});

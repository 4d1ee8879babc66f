import type { EvaluatedVideo } from '../evaluation.js';
import { argmax, softmax } from '../views.js';

/** Scores of videos that give a confusion matrix [K][K], rows = truth. */
export function scoresOf(confusion: readonly (readonly number[])[], prefix = ''): EvaluatedVideo[] {
  const classes = confusion.length;
  const probability = (predicted: number, k: number): number =>
    k === predicted ? 0.6 : 0.4 / Math.max(1, classes - 1);
  return confusion.flatMap((row, label) =>
    row.flatMap((count, predicted) =>
      Array.from({ length: count }, (_, i) => ({
        id: `${prefix}${label}-${predicted}-${i}.mp4`,
        label,
        predicted,
        probabilities: Array.from({ length: classes }, (_, k) => probability(predicted, k)),
        views: 2,
        duplicates: 0,
      })),
    ),
  );
}

/** Scores of `count` videos with drawn labels and logits, the true class favoured; the same for the same seed. */
export function randomScores(count: number, classes: number, seed: number, prefix = ''): EvaluatedVideo[] {
  let state = seed;
  // A linear congruential generator: enough to fill a confusion matrix.
  const uniform = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Array.from({ length: count }, (_, i) => {
    const label = Math.floor(uniform() * classes);
    const logits = Array.from({ length: classes }, (_, k) => 3 * uniform() + (k === label ? 1.2 : 0));
    const probabilities = softmax(logits);
    const predicted = argmax(probabilities);
    return { id: `${prefix}clip-${i}.mp4`, label, probabilities, predicted, views: 2, duplicates: 0 };
  });
}

import { binaryCrossEntropy, crossEntropy, type CrossEntropyOptions } from '../ops/classification.js';
import { meanSquareError, softCrossEntropy, twoPartSquareError } from '../ops/losses.js';
import type { Example, Operation } from './operation.js';
import { f32, plainSoftmax, target, Values, zip } from './values.js';

function crossEntropyExample(options: CrossEntropyOptions, labels: readonly number[]): Example {
  const { ignoreIndex, reduction = 'mean' } = options;
  const weights = [0.5, 2, 1, 0.1];
  return {
    shapes: [[2, 4, 3]],
    forward: ([x], engine) =>
      crossEntropy(x!, engine.tensor(Int32Array.from(labels), [2, 3]), {
        axis: 1,
        ...options,
        ...(options.weights ? {} : { weights: engine.tensor(Float32Array.from(weights), [4]) }),
      }),
    reference: ([x]) => {
      const y = plainSoftmax(x!, 1);
      const weightOf = (label: number) => (label === ignoreIndex ? 0 : Math.fround(weights[label]!));
      const losses = Values.build([2, 3], ([b, i]) => {
        const label = labels[3 * b! + i!]!;
        return label === ignoreIndex ? 0 : -weightOf(label) * Math.log(y.at([b!, label, i!]));
      });
      if (reduction === 'none') return losses;
      const total = losses.data.reduce((a, b) => a + b, 0);
      const count = reduction === 'sum' ? 1 : labels.reduce((sum, label) => sum + weightOf(label), 0);
      return new Values([], [total / count]);
    },
  };
}

const scalar = (value: number) => new Values([1], [value]);

const labels = new Values([2, 3], [0.7, 0.2, 0.1, 0, 0.5, 0.5]);

/** What is minimised. */
export const lossOperations: readonly Operation[] = [
  {
    name: 'meanSquareError',
    summary: 'mean of (prediction − target)²',
    examples: () => [
      {
        shapes: [
          [3, 5],
          [3, 5],
        ],
        forward: ([a, b]) => meanSquareError(a!, b!),
        reference: ([a, b]) =>
          new Values([], [a!.data.reduce((sum, x, i) => sum + (x - b!.data[i]!) ** 2 / 15, 0)]),
      },
    ],
  },
  {
    name: 'crossEntropy',
    summary: 'cross-entropy of integer labels, weighted, with labels that do not count',
    examples: () => [
      crossEntropyExample({}, [0, 3, 1, 2, 2, 0]),
      crossEntropyExample({ ignoreIndex: -100, reduction: 'mean' }, [0, -100, 1, 2, 2, -100]),
      crossEntropyExample({ ignoreIndex: 2, reduction: 'none' }, [0, 2, 1, 2, 3, 0]),
      crossEntropyExample({ reduction: 'sum' }, [1, 1, 1, 0, 3, 3]),
    ],
  },
  {
    name: 'softCrossEntropy',
    summary: 'cross-entropy of soft labels, fused',
    examples: () => [
      {
        shapes: [[2, 3]],
        forward: ([x], engine) => softCrossEntropy(x!, f32(engine, labels).array),
        reference: ([x]) => {
          const y = plainSoftmax(x!, 1).data;
          return scalar(
            y.reduce((sum, value, i) => sum - (Math.fround(labels.data[i]!) * Math.log(value)) / 2, 0),
          );
        },
      },
    ],
  },
  {
    name: 'binaryCrossEntropy',
    summary: 'cross-entropy of logits and targets from 0 to 1',
    examples: () => [
      {
        shapes: [
          [2, 3],
          [2, 3],
        ],
        forward: ([x, t]) => binaryCrossEntropy(x!, t!),
        reference: ([x, t]) => {
          const losses = zip([x!, t!], (a, b) => Math.log1p(Math.exp(a)) - a * b);
          return new Values([], [losses.data.reduce((a, b) => a + b, 0) / 6]);
        },
      },
    ],
  },
  {
    name: 'twoPartSquareError',
    summary: 'the loss of MAE-DFER: errors of two halves of the columns, weighted',
    examples: () => [
      {
        shapes: [[4, 6]],
        forward: ([x], engine) =>
          twoPartSquareError(x!, f32(engine, target([4, 6])).array, { appearanceWeight: 0.3 }).loss,
        reference: ([x]) => {
          const errors = zip([x!, target([4, 6])], (a, b) => (a - Math.fround(b)) ** 2 / 12);
          return scalar(errors.data.reduce((sum, error, i) => sum + (i % 6 < 3 ? 0.3 : 0.7) * error, 0));
        },
      },
    ],
  },
];

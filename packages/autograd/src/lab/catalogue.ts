import { arrayOperations } from './array-operations.js';
import { elementwiseOperations } from './elementwise-operations.js';
import { modelOperations } from './model-operations.js';
import type { Operation } from './operation.js';

/** Every operation, by what it works on: tests, the benchmark and FEATURES.md come from this table. */
export const operationCatalogue: Readonly<Record<string, readonly Operation[]>> = {
  Elements: elementwiseOperations,
  'Products, layouts, reductions, indices': arrayOperations,
  'Layers and losses': modelOperations,
};

/** What others offer and this does not, for FEATURES.md. */
export const missingOperations: readonly string[] = [
  'arithmetic on whole numbers: integers are indices',
  'empty tensors',
  'sorting, the k largest elements, cumulative sums, sines and cosines',
  'convolutions in groups, transposed or with padding on one side only; batch norm and group norm',
  'attention with masks that stores no probabilities',
  'padding by repeated or mirrored edges',
];

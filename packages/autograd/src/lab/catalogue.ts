import { arrayOperations } from './array-operations.js';
import { convolutionOperations } from './convolution-operations.js';
import { elementwiseOperations } from './elementwise-operations.js';
import { layerOperations } from './layer-operations.js';
import { lossOperations } from './loss-operations.js';
import type { Operation } from './operation.js';
import { rowOperations } from './row-operations.js';

/** Every operation, by what it works on: tests, the benchmark and FEATURES.md come from this table. */
export const operationCatalogue: Readonly<Record<string, readonly Operation[]>> = {
  Elements: elementwiseOperations,
  'Products, layouts, reductions, indices': arrayOperations,
  'Layers and losses': [...layerOperations, ...convolutionOperations, ...lossOperations, ...rowOperations],
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

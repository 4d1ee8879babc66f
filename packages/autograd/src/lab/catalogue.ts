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

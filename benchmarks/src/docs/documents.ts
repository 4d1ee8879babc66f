import { missingOperations, operationCatalogue } from '@tubelet/autograd/lab';
import { kernelCatalogue } from '@tubelet/kernels/lab';
import { featureTable } from './feature-table.js';
import { kernelTable } from './kernel-table.js';
import { withPretrainingDays } from './pretraining-days.js';

/** Gives the text of a file by its path in the repository. */
export type ReadFile = (path: string) => string;

/**
 * Documents that are written, whole or in part, from tables of the sources and from one another: their paths in the
 * repository and what makes them.
 */
export const documents: Readonly<Record<string, (read: ReadFile) => Promise<string>>> = {
  'docs/kernels.md': () => kernelTable(kernelCatalogue),
  'FEATURES.md': () => featureTable(operationCatalogue, missingOperations),
  'docs/pre-training.md': (read) =>
    withPretrainingDays(read('docs/pre-training.md'), read('docs/expected-speed.md')),
};

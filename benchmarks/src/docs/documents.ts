import { missingOperations, operationCatalogue } from '@tubelet/autograd/lab';
import { kernelCatalogue } from '@tubelet/kernels/lab';
import { featureTable } from './feature-table.js';
import { kernelTable } from './kernel-table.js';

/** Documents that are written from tables of the sources: their paths in the repository and what makes them. */
export const documents: Readonly<Record<string, () => Promise<string>>> = {
  'docs/kernels.md': () => kernelTable(kernelCatalogue),
  'FEATURES.md': () => featureTable(operationCatalogue, missingOperations),
};

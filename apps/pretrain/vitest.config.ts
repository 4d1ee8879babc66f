import { defineConfig } from 'vitest/config';
import { sharedTest } from '../../vitest.shared.ts';

// It is the last package to begin, since its tests run the built command: two files at a time use both cores to the end.
export default defineConfig({
  ...sharedTest,
  test: { ...sharedTest.test, fileParallelism: true, maxWorkers: 2 },
});

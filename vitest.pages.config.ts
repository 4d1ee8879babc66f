import { defineConfig } from 'vitest/config';
import { sharedTest } from './vitest.shared.ts';

/** The commands of the documents: `npm run test:pages`. */
export default defineConfig({
  ...sharedTest,
  test: {
    ...sharedTest.test,
    include: ['scripts/shell-blocks.test.ts'],
    // Pages: a command keeps one core busy, and little more.
    maxConcurrency: 2,
  },
});

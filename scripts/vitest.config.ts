import { defineConfig } from 'vitest/config';
import { sharedTest } from '../vitest.shared.ts';

export default defineConfig({
  ...sharedTest,
  test: { ...sharedTest.test, include: ['scripts/**/*.test.ts'], fileParallelism: true },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['scripts/**/*.test.mjs'], testTimeout: 1_200_000 } });

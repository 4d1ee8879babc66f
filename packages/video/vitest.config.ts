import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { sharedTest } from '../../vitest.shared.ts';

const env = {
  // What the tests remember of their videos is of no use to anyone else.
  TUBELET_CACHE_DIR: join(tmpdir(), 'tubelet-video-test-cache'),
  // Where `testing/test-runtime.ts` finds a driver.
  TUBELET_DRIVER_CACHE_DIR: process.env['TUBELET_CACHE_DIR'] ?? '',
};

export default defineConfig({ ...sharedTest, test: { ...sharedTest.test, env } });

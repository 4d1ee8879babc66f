import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { sharedTest } from '../../vitest.shared.ts';

// What the tests remember of their videos is of no use to anyone else.
const env = { TUBELET_CACHE_DIR: join(tmpdir(), 'tubelet-video-test-cache') };

export default defineConfig({ ...sharedTest, test: { ...sharedTest.test, env } });

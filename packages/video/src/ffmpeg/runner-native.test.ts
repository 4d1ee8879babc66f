import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { complaints } from './ffmpeg-output.js';
import { createNativeRunner } from './runner-native.js';
import { temporaryFolder } from '../testing/videos.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

it.skipIf(process.platform === 'win32')('ends a program that hangs, and says so', async () => {
  const path = join(folder.path, 'hanging-ffmpeg');
  writeFileSync(path, '#!/bin/sh\nexec sleep 600\n');
  chmodSync(path, 0o755);
  const runner = createNativeRunner(
    { kind: 'native', path, version: '7.1', source: 'PATH', reason: '' },
    200,
  );
  const { exitCode, log } = await runner.run({
    input: { path: 'a.avi' },
    outputOptions: [],
    onOutput: () => undefined,
  });
  expect(exitCode).not.toBe(0);
  expect(complaints(log)).toMatch(/^error: ffmpeg was ended by SIGKILL after [\d.]+ s$/);
});

// Runs the tests that run in a page too, in a headless Chromium, which is fetched where there is none. Arguments go to
// vitest, such as a part of a path.
import { spawnSync } from 'node:child_process';
import { cacheDirectory } from '@tubelet/kernels/node';
import { findBrowser } from './lib/browser.js';
import { root } from './lib/root.mjs';
import { vitest } from './lib/tools.js';

try {
  const browser = await findBrowser(cacheDirectory(), (line) => console.log(`[browser] ${line}`));
  const words = ['run', '--config', 'vitest.browser.config.ts', ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, [vitest, ...words], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TUBELET_BROWSER: browser },
  });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(`[browser] ${(error as Error).message}`);
  process.exitCode = 1;
}

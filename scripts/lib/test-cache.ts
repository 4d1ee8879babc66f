// Gives a run of tests a cache folder of its own: what programs measure or look up goes with the run.
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// By its path: this is loaded without the condition by which names lead to sources.
import { cacheDirectory } from '../../packages/kernels/src/node/cache.js';

/** What programs measured or looked up for the user, which may not decide what the tests do. */
const NOT_SHARED = new Set(['video-headers', 'tuning']);

/** Drivers and whatever else was fetched are those of the user's folder. */
export function setup(): () => void {
  const cache = cacheDirectory();
  const own = mkdtempSync(join(tmpdir(), 'tubelet-cache-'));
  const entries = existsSync(cache) ? readdirSync(cache).filter((name) => !NOT_SHARED.has(name)) : [];
  for (const name of entries) symlinkSync(join(cache, name), join(own, name));
  const before = process.env.TUBELET_CACHE_DIR;
  // Before the processes that run the tests begin, which take it over.
  process.env.TUBELET_CACHE_DIR = own;
  return () => {
    if (before === undefined) delete process.env.TUBELET_CACHE_DIR;
    else process.env.TUBELET_CACHE_DIR = before;
    rmSync(own, { recursive: true });
  };
}

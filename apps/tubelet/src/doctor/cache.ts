import { existsSync, statSync } from 'node:fs';
import { cacheDirectory, recordedDrivers } from '@tubelet/kernels/node';
import { missing, ok, type Finding } from './system.js';

/** Where the cache folder is and which drivers it holds. */
export function diagnoseCache(): Finding[] {
  const topic = 'Cache';
  const cache = cacheDirectory();
  const by = process.env.TUBELET_CACHE_DIR ? 'TUBELET_CACHE_DIR' : 'TUBELET_CACHE_DIR moves it';
  const place = ok(topic, `${cache} (${existsSync(cache) ? by : `not made yet; ${by}`})`);
  try {
    return [
      place,
      ...recordedDrivers().map(({ name, version, libraries }) => {
        const bytes = libraries.reduce((sum, path) => sum + statSync(path).size, 0);
        return ok(topic, `${name} ${version}: ${Math.round(bytes / 2 ** 20)} MiB`);
      }),
    ];
  } catch (error) {
    return [place, missing(topic, (error as Error).message, ['npx tubelet setup --force'])];
  }
}

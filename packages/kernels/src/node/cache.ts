import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder in which the project keeps what it can fetch or measure again: the software Vulkan
 * driver, tuning results, demo clips.
 *
 * @param env read for `TUBELET_CACHE_DIR` (used as it is), then `XDG_CACHE_HOME`
 * @param home the user's home folder, the last resort: `~/.cache/tubelet`
 */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env, home = homedir()): string {
  if (env.TUBELET_CACHE_DIR) return env.TUBELET_CACHE_DIR;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'tubelet');
  return join(home, '.cache', 'tubelet');
}

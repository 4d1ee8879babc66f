import { join } from 'node:path';

/**
 * Where Mesa is to keep the code it compiles for a driver that must not share it with others: below the folder that
 * `MESA_SHADER_CACHE_DIR` names, so that who asks for an empty cache has one here too, else in the project's.
 *
 * @param cache the project's cache folder
 * @param name of the driver, or of its settings
 */
export function shaderCache(cache: string, name: string): string {
  return join(process.env.MESA_SHADER_CACHE_DIR ?? cache, `mesa-shaders-${name}`);
}

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

/**
 * The environment in which llvmpipe compiles for vectors of 128 bits, which takes it little more than half of the time
 * that its own width does, unless LP_NATIVE_VECTOR_WIDTH says otherwise. Mesa's shader cache does not know the width:
 * shared, it would hand out code compiled for another one.
 *
 * @param cache the project's cache folder
 */
export function quickCompiling(cache: string) {
  const width = process.env.LP_NATIVE_VECTOR_WIDTH ?? '128';
  return { LP_NATIVE_VECTOR_WIDTH: width, MESA_SHADER_CACHE_DIR: shaderCache(cache, `${width}-bit`) };
}

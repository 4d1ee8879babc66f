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
 * The environment in which llvmpipe compiles quickly: for vectors of 128 bits, which takes it little more than half of the
 * time that its own width does, and without LLVM's optimisations, which take longer than small arrays do to be computed.
 * LP_NATIVE_VECTOR_WIDTH and GALLIVM_PERF of the caller have their way. Mesa's shader cache does not know the width:
 * shared, it would hand out code compiled for another one.
 *
 * @param cache the project's cache folder
 */
export function quickCompiling(cache: string) {
  const { LP_NATIVE_VECTOR_WIDTH = '128', GALLIVM_PERF = 'nopt' } = process.env;
  const MESA_SHADER_CACHE_DIR = shaderCache(cache, `${LP_NATIVE_VECTOR_WIDTH}-bit-${GALLIVM_PERF}`);
  return { LP_NATIVE_VECTOR_WIDTH, GALLIVM_PERF, MESA_SHADER_CACHE_DIR };
}

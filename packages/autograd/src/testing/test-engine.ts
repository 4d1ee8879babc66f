import { afterAll, beforeAll } from 'vitest';
import type { Runtime } from '@tubelet/kernels';
import { Engine } from '../engine/engine.js';
import { open } from '../engine/open.js';

// In Node the runtime is Dawn's, whose module a page does not load.
const node = 'window' in globalThis ? undefined : await import('@tubelet/kernels/node');

/** Opens one engine for the calling test file; new arrays start as NaN. */
export function useEngine(): () => Engine {
  let runtime: Runtime | undefined;
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = node ? new Engine(await node.openNodeRuntime()) : await open();
    runtime = engine.runtime;
    runtime.poisonAllocations = true;
  });
  afterAll(() => {
    if (!runtime) return;
    if (node) node.closeNodeRuntime(runtime);
    else runtime.destroy();
  });
  return () => {
    if (!engine) throw new Error('the engine is only open while tests run');
    return engine;
  };
}

/** Reproducible numbers in about [−2, 2], uneven enough for gradient checks. */
export function values(count: number, seed = 1): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 4 * (x - Math.floor(x)) - 2;
  });
}

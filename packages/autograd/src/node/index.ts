import { openNodeRuntime } from '@tubelet/kernels/node';
import type { OpenOptions } from '../engine/open.js';
import { Engine } from '../engine/engine.js';

/**
 * An engine on the best adapter that Dawn finds: a GPU, or the software driver.
 *
 * @throws NoAdapterError with remedies where there is none
 */
export async function open({ precision = 'f32' }: OpenOptions = {}): Promise<Engine> {
  // Dawn shows f16 on some GPUs, and matrix units on all, only where they are asked for.
  const runtime = await openNodeRuntime({ matrixUnits: precision === 'f16' });
  runtime.precision = precision;
  return new Engine(runtime);
}

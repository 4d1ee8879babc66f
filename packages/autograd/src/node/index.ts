import { openNodeRuntime } from '@tubelet/kernels/node';
import type { OpenOptions } from '../open.js';
import { Engine } from '../engine.js';

/**
 * An engine on the best adapter that Dawn finds: a GPU, or the software driver.
 *
 * @throws NoAdapterError with remedies where there is none
 */
export async function open({ precision = 'f32' }: OpenOptions = {}): Promise<Engine> {
  const runtime = await openNodeRuntime();
  runtime.precision = precision;
  return new Engine(runtime);
}

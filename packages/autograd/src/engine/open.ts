import { openRuntime, type Precision } from '@tubelet/kernels';
import { Engine } from './engine.js';

/** How an engine is opened. */
export interface OpenOptions {
  /** What inputs of products may be rounded to, and stored in; default `f32`. */
  readonly precision?: Precision;
}

/**
 * An engine on the browser's GPU; in Node it is `open` of `@tubelet/autograd/node`.
 *
 * @throws NoAdapterError where there is no WebGPU, or it has none
 */
export async function open({ precision = 'f32' }: OpenOptions = {}): Promise<Engine> {
  const runtime = await openRuntime(typeof navigator === 'undefined' ? undefined : navigator.gpu);
  runtime.precision = precision;
  return new Engine(runtime);
}

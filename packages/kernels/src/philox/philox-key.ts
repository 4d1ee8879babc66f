import mulHighWgsl from './mul-high.wgsl';
import philoxWgsl from './philox.wgsl';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import { philoxKey } from './philox.js';

/** The part of a stream's name that changes from step to step. */
export interface PhiloxKeyWords {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** A u32; default 0. */
  readonly epoch?: number;
  /** A u32; default 0. Kernels that draw for many samples take an array of samples instead and ignore this one. */
  readonly sample?: number;
}

/**
 * Where a kernel that draws random numbers finds its key: numbers, which the dispatcher uploads at every call,
 * or an array made by `createPhiloxKey`, which a recorded step reads again each time it is replayed.
 */
export type PhiloxKeySource = (PhiloxKeyWords & { readonly key?: undefined }) | { readonly key: GpuArray };

/**
 * A u32 [4] array (seed low, seed high, epoch, sample) for `PhiloxKeySource`.
 *
 * @throws RangeError for numbers that do not fit
 */
export function createPhiloxKey(runtime: Runtime, words: PhiloxKeyWords): GpuArray {
  return runtime.upload(philoxKeyWords(words), [4], 'u32', 'philox key');
}

/** Overwrites a key made by `createPhiloxKey`, ordered after the kernels recorded so far. */
export function writePhiloxKey(runtime: Runtime, key: GpuArray, words: PhiloxKeyWords): void {
  runtime.write(key, philoxKeyWords(words));
}

/** Runs `record` with the key array of `source`, which it makes, and releases afterwards, if numbers were given. */
export function withPhiloxKey(
  runtime: Runtime,
  kernel: string,
  source: PhiloxKeySource,
  record: (key: GpuArray) => void,
): void {
  if (source.key === undefined) {
    const key = createPhiloxKey(runtime, source);
    try {
      record(key);
    } finally {
      runtime.release(key);
    }
    return;
  }
  const { key } = source;
  if (key.dtype !== 'u32' || key.size !== 4 || !key.isContiguous || key.offset !== 0) {
    throw new ShapeError(`${kernel}: key is ${key}: give the u32 [4] array that createPhiloxKey makes`);
  }
  record(key);
}

/**
 * The contents of a key array: what a recorded step gets anew each time.
 *
 * @throws RangeError for numbers that do not fit
 */
export function philoxKeyWords({ seed, epoch = 0, sample = 0 }: PhiloxKeyWords): Uint32Array<ArrayBuffer> {
  for (const [name, value] of Object.entries({ epoch, sample })) {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
      throw new RangeError(`${name} is ${value}: give an integer from 0 to 2^32 − 1.`);
    }
  }
  return Uint32Array.of(...philoxKey(seed), epoch, sample);
}

/** Files of WGSL with `philox4x32(counter, key)`, for expressions that draw random numbers. */
export const philoxFunctions: readonly string[] = [mulHighWgsl, philoxWgsl];

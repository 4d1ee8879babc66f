import type { Precision, Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime, type GpuWanted } from '@tubelet/kernels/node';
import { HalfPrecisionError, useHalfPrecision } from '@tubelet/kernels/tuning';
import { UserError } from '../errors.js';

/** Options about the precision of training; named as on the command line. */
export interface PrecisionOptions {
  readonly precision: Precision;
}

/** f16 was asked for on a GPU that has none, or hides overflow. */
export class PrecisionError extends UserError {
  override readonly name = 'PrecisionError';

  /** @param cause names the adapter and what is wrong with it */
  constructor(cause: HalfPrecisionError) {
    const remedy =
      'Train with --precision f32, which is the default, or on a GPU whose driver shows f16 ' +
      '(`npx tubelet doctor` lists what there is).';
    super(`--precision f16: ${cause.message}. ${remedy}`, { cause });
  }
}

/**
 * Opens the GPU for a training and sets its precision.
 *
 * @param note told which kernels use f16
 * @param gpu which of several GPUs
 * @throws PrecisionError for f16 where there is none, or overflow is hidden; NoAdapterError where there is no GPU;
 *   GpuChoiceError where there is no such one
 */
export async function openTrainingRuntime(
  { precision }: PrecisionOptions,
  note: (message: string) => void,
  gpu?: GpuWanted,
): Promise<Runtime> {
  const runtime = await openNodeRuntime({ matrixUnits: precision === 'f16', gpu });
  try {
    await usePrecision(runtime, precision, note);
  } catch (error) {
    closeNodeRuntime(runtime);
    throw error;
  }
  return runtime;
}

/**
 * Sets the precision of a training before its first kernel.
 *
 * @throws PrecisionError for f16 where there is none, or overflow is hidden
 */
export async function usePrecision(
  runtime: Runtime,
  precision: Precision,
  note: (message: string) => void,
): Promise<void> {
  if (precision === 'f32') return;
  let used: string[];
  try {
    used = await useHalfPrecision(runtime);
  } catch (error) {
    throw error instanceof HalfPrecisionError ? new PrecisionError(error) : error;
  }
  const slow = runtime.adapter.isSoftware ? '; on a software driver that is slower than f32' : '';
  const products =
    used.length > 0
      ? `products of f16 by ${used.join(', ')}`
      : 'products in f32, since no matrix units take f16: that saves memory, not arithmetic';
  note(`activations of blocks in f16 under a dynamic loss scale; ${products}${slow}`);
}

/** Runs `body` in f32, whatever the training computes in: what it finds is what `evaluate` finds afterwards. */
export async function inFullPrecision<T>(runtime: Runtime, body: () => Promise<T>): Promise<T> {
  const { precision } = runtime;
  const forced = [...runtime.forcedVariants];
  runtime.precision = 'f32';
  runtime.forcedVariants.clear();
  try {
    return await body();
  } finally {
    runtime.precision = precision;
    for (const [kernel, variant] of forced) runtime.forcedVariants.set(kernel, variant);
  }
}

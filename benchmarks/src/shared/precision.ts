import type { Precision, Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { useHalfPrecision } from '@tubelet/kernels/tuning';
import { Option } from 'commander';

/** The option `--precision`. */
export function precisionOption(description: string): Option {
  return new Option('--precision <format>', description).choices(['f32', 'f16']).default('f32');
}

/**
 * Opens the GPU, in f16 with its matrix units in use where it has some.
 *
 * @throws HalfPrecisionError for f16 where there is none, or overflow is hidden; NoAdapterError where there is no GPU
 */
export async function openInPrecision(precision: Precision): Promise<Runtime>;
/** The same, if the adapter is one that is wanted; undefined otherwise. */
export async function openInPrecision(
  precision: Precision,
  isWanted: (adapter: Runtime['adapter']) => boolean,
): Promise<Runtime | undefined>;
export async function openInPrecision(
  precision: Precision,
  isWanted: (adapter: Runtime['adapter']) => boolean = () => true,
): Promise<Runtime | undefined> {
  const runtime = await openNodeRuntime({ matrixUnits: precision === 'f16' });
  if (!isWanted(runtime.adapter)) {
    closeNodeRuntime(runtime);
    return undefined;
  }
  if (precision === 'f32') return runtime;
  try {
    console.error(
      `rounding to f16: ${(await useHalfPrecision(runtime)).join(', ') || 'no kernel by itself'}`,
    );
  } catch (error) {
    closeNodeRuntime(runtime);
    throw error;
  }
  return runtime;
}

import type { Precision, Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { useHalfPrecision } from '@tubelet/kernels/tuning';
import { InvalidArgumentError, Option } from 'commander';

/** The option `--precision`. */
export function precisionOption(description: string): Option {
  return new Option('--precision <format>', description).choices(['f32', 'f16']).default('f32');
}

/** The option `--gpu`, as trainings have it. */
export function gpuOption(): Option {
  const option = new Option('--gpu <n>', 'which of several GPUs, counted from 0; under Linux only');
  return option.argParser((text) => {
    if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 0.');
    return Number(text);
  });
}

/** Which GPU is opened, and for what; named as on the command line. */
export interface OpenInPrecisionOptions {
  readonly precision: Precision;
  /** Which of several GPUs. */
  readonly gpu?: number;
}

/**
 * Opens the GPU, in f16 with its matrix units in use where it has some.
 *
 * @throws HalfPrecisionError for f16 where there is none, or overflow is hidden; NoAdapterError where there is no GPU;
 *   GpuChoiceError where there is no such one
 */
export async function openInPrecision(options: OpenInPrecisionOptions): Promise<Runtime>;
/** The same, if the adapter is one that is wanted; undefined otherwise. */
export async function openInPrecision(
  options: OpenInPrecisionOptions,
  isWanted: (adapter: Runtime['adapter']) => boolean,
): Promise<Runtime | undefined>;
export async function openInPrecision(
  { precision, gpu }: OpenInPrecisionOptions,
  isWanted: (adapter: Runtime['adapter']) => boolean = () => true,
): Promise<Runtime | undefined> {
  const runtime = await openNodeRuntime({ matrixUnits: precision === 'f16', gpu });
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

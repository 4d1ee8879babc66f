import type { Runtime } from '@tubelet/kernels';
import { type TunableKernel, tunableKernels } from '@tubelet/kernels/lab';
import { nodeCompiler, readTuningTable, writeTuningTable } from '@tubelet/kernels/node';
import { tuningIdentity, TuningTable, TuningTableError } from '@tubelet/kernels/tuning';
import { describeAdapter } from '../shared/adapter.js';
import { UsageError } from '../shared/program.js';
import { formatTuned } from './report.js';
import { choicesOf, tuneKernels, type TuneOptions, type TunedClass } from './tune.js';

export interface TuneProgramOptions extends TuneOptions {
  /** Only these kernels; what was measured for others stays. */
  readonly kernels?: readonly string[];
  /** The cache folder; default: the user's. */
  readonly directory?: string;
  readonly print: (text: string) => void;
}

/**
 * Measures this device's variants, prints what was found and keeps it in the cache folder.
 *
 * @param available the kernels among which to measure; default: all of which this device has several variants
 * @returns whether all variants computed what they should
 * @throws UsageError for a kernel that is not among them
 */
export async function tuneDevice(
  runtime: Runtime,
  { kernels: names, directory, print, ...options }: TuneProgramOptions,
  available: readonly TunableKernel[] = tunableKernels(runtime),
): Promise<boolean> {
  const kernels = names?.map((name) => kernelNamed(name, available)) ?? available;
  if (kernels.length === 0) {
    print(
      `${describeAdapter(runtime.adapter)} can run one variant of each kernel: there is nothing to choose.`,
    );
    return true;
  }
  const startMs = performance.now();
  const tuned = await tuneKernels(runtime, kernels, options);
  const measuredNames = new Set(tuned.map(({ kernel }) => kernel));
  const kept = names
    ? (earlierTable(runtime, directory, print)?.choices ?? []).filter(
        ({ kernel }) => !measuredNames.has(kernel),
      )
    : [];
  const table = new TuningTable(tuningIdentity(runtime, nodeCompiler()), [...kept, ...choicesOf(tuned)]);
  const path = writeTuningTable(
    runtime,
    table,
    { measuredAt: new Date().toISOString(), measured: tuned },
    directory,
  );

  print(formatTuned(tuned));
  const faster = tuned.filter(({ chosen, shipped }) => chosen !== shipped).length;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const others = kept.length > 0 ? `, beside ${kept.length} of other kernels that were known` : '';
  print(
    `\n${describeAdapter(runtime.adapter)}: another variant than the shipped one for ${faster} of ${tuned.length} ` +
      `classes${others}; ${seconds} s, batches of ${options.batchMs} ms, ${options.rounds} of each variant in turn.`,
  );
  print(`Table ${table.digest} is in ${path}; runs that begin from now on use it (--no-autotune: without).`);
  return warnOfWrongResults(tuned, print);
}

function kernelNamed(name: string, available: readonly TunableKernel[]): TunableKernel {
  const found = available.find(({ spec }) => spec.name === name);
  if (found) return found;
  const known = available.map(({ spec }) => spec.name).join(', ');
  throw new UsageError(
    `--kernel: "${name}" is not a kernel with a choice on this device; there are: ${known}`,
  );
}

function earlierTable(
  runtime: Runtime,
  directory: string | undefined,
  print: (text: string) => void,
): TuningTable | undefined {
  try {
    return readTuningTable(runtime, directory);
  } catch (error) {
    if (!(error instanceof TuningTableError)) throw error;
    print(`replacing a table of which nothing can be kept: ${error.message}`);
    return undefined;
  }
}

function warnOfWrongResults(tuned: readonly TunedClass[], print: (text: string) => void): boolean {
  const wrong = tuned.flatMap((found) =>
    found.wrong.map((variant) => `${found.kernel}/${variant} (${found.cases.join('; ')})`),
  );
  if (wrong.length > 0) print(`WRONG results, of which none is chosen over another: ${wrong.join(', ')}`);
  return wrong.length === 0;
}

import { likeRuntime, paperAdapter, paperDevice, paperRuntime } from '../runtime/paper-device.js';
import { Runtime } from '../runtime/runtime.js';
import { exchangeableVariants, type Variant } from '../runtime/variants.js';
import { digestOf } from './digest.js';
import { kernelChoices } from './kernel-choices.js';
import {
  TuningTableError,
  adapterIdentity,
  identityDifference,
  type TuningIdentity,
  type TuningTable,
} from './tuning-table.js';

/** The variants among which this device has a choice, by kernel; the shipped choice first. */
export function tunableVariants(runtime: Runtime): ReadonlyMap<string, readonly Variant[]> {
  return new Map(
    kernelChoices
      .map(({ kernel, variants }) => [kernel, exchangeableVariants(runtime, variants)] as const)
      .filter(([, variants]) => variants.length > 1),
  );
}

/**
 * Names the WGSL of what a table chooses among: the programs of all variants that this device can run, in the forms that
 * models use, constants included. Takes no GPU time.
 */
export function kernelsDigest(runtime: Runtime): string {
  const options = likeRuntime(runtime);
  const sources: string[] = [];
  const device = Object.assign(paperDevice(options), {
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => {
      sources.push(code);
      return {};
    },
  });
  const paper = new Runtime(device as unknown as GPUDevice, paperAdapter(options));
  paper.precision = runtime.precision;
  const tunable = tunableVariants(paper);
  for (const { kernel, sample } of kernelChoices) {
    for (const { name } of tunable.get(kernel) ?? []) {
      sources.push(`${kernel} ${name}`);
      paper.forcedVariants.set(kernel, name);
      sample(paper);
    }
    paper.forcedVariants.delete(kernel);
  }
  return digestOf(sources.join('\n'));
}

/** What a table must have been measured on to hold for this runtime; `compiler` names what compiles its WGSL. */
export function tuningIdentity(runtime: Runtime, compiler: string): TuningIdentity {
  return { adapter: adapterIdentity(runtime.adapter), compiler, kernels: kernelsDigest(runtime) };
}

/**
 * Checks that a table holds on this device.
 *
 * @throws TuningTableError when it was measured elsewhere, or names variants that do not exist
 */
export function requireFittingTable(runtime: Runtime, table: TuningTable, compiler: string): void {
  const difference = identityDifference(table.identity, tuningIdentity(runtime, compiler));
  if (difference !== undefined) throw new TuningTableError(difference);
  const tunable = tunableVariants(paperRuntime(likeRuntime(runtime)));
  for (const { kernel, variant } of table.choices) {
    if (!tunable.get(kernel)?.some(({ name }) => name === variant)) {
      throw new TuningTableError(`kernel ${kernel} has no variant "${variant}" here`);
    }
  }
}

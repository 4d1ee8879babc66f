import { kernelCatalogue } from '../catalogue.js';
import type { GpuArrays, KernelSpec } from '../kernel-spec.js';
import { likeRuntime, paperAdapter, paperDevice, paperRuntime } from '../runtime/paper-device.js';
import { Runtime } from '../runtime/runtime.js';
import type { ShapeClass } from '../runtime/shape-class.js';
import { exchangeableVariants, type Variant } from '../runtime/variants.js';
import { digestOf } from './digest.js';
import {
  TuningTableError,
  adapterIdentity,
  identityDifference,
  type TuningIdentity,
  type TuningTable,
} from './tuning-table.js';

/** A kernel of which this device can run several variants that may stand in for each other. */
export interface TunableKernel {
  readonly spec: KernelSpec;
  /** The shipped choice first. */
  readonly variants: readonly Variant[];
}

/** The kernels of the catalogue among whose variants this device has a choice, and that have shapes of the models. */
export function tunableKernels(runtime: Runtime): TunableKernel[] {
  return kernelCatalogue
    .map((spec) => ({ spec, variants: exchangeableVariants(runtime, spec.variants) }))
    .filter(({ spec, variants }) => variants.length > 1 && modelCases(spec).length > 0);
}

function modelCases(spec: KernelSpec) {
  return spec.cases.filter(({ kind }) => kind === 'model');
}

/** The class that a kernel asks by when it is run on a shape; undefined for a kernel that asks for none. */
export function shapeClassOfCase(runtime: Runtime, spec: KernelSpec, shape: unknown): ShapeClass | undefined {
  const paper = paperRuntime(likeRuntime(runtime));
  let asked: ShapeClass | undefined;
  paper.tuning = {
    choose: (kernel, wanted) => {
      // A kernel that is made of others asks for itself first, and for its whole work.
      if (kernel === spec.name) asked ??= wanted;
      return undefined;
    },
  };
  runOnPaper(paper, spec, shape);
  return asked;
}

/**
 * Names the WGSL of everything that a table chooses among: all programs of all variants that this device can run, at
 * the shapes of the models, constants included. Takes no GPU time.
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
  for (const { spec, variants } of tunableKernels(paper)) {
    for (const { name } of variants) {
      sources.push(`${spec.name} ${name}`);
      paper.forcedVariants.set(spec.name, name);
      for (const { shape } of modelCases(spec)) runOnPaper(paper, spec, shape);
    }
    paper.forcedVariants.delete(spec.name);
  }
  return digestOf(sources.join('\n'));
}

function runOnPaper(paper: Runtime, spec: KernelSpec, shape: unknown): void {
  const arrays = (specs: ReturnType<KernelSpec['inputs']>): GpuArrays =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape: extents, dtype }]) => [name, paper.empty(extents, dtype)]),
    );
  paper.scope(() => spec.run(paper, shape, arrays(spec.inputs(shape)), arrays(spec.outputs(shape))));
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
  const kernels = tunableKernels(paperRuntime(likeRuntime(runtime)));
  for (const { kernel, variant } of table.choices) {
    const variants = kernels.find(({ spec }) => spec.name === kernel)?.variants;
    if (!variants?.some(({ name }) => name === variant)) {
      throw new TuningTableError(`kernel ${kernel} has no variant "${variant}" here`);
    }
  }
}

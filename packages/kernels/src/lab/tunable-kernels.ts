import type { GpuArrays, KernelSpec } from '../kernel-spec.js';
import { likeRuntime, paperRuntime } from '../runtime/paper-device.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ShapeClass } from '../runtime/shape-class.js';
import type { Variant } from '../runtime/variants.js';
import { tunableVariants } from '../tuning/tunable.js';
import { kernelCatalogue } from './catalogue.js';

/** A kernel of which this device can run several variants that may stand in for each other. */
export interface TunableKernel {
  readonly spec: KernelSpec;
  /** The shipped choice first. */
  readonly variants: readonly Variant[];
}

/** The kernels of the catalogue among whose variants this device has a choice. */
export function tunableKernels(runtime: Runtime): TunableKernel[] {
  const choices = tunableVariants(runtime);
  return kernelCatalogue.flatMap((spec) => {
    const variants = choices.get(spec.name);
    return variants ? [{ spec, variants }] : [];
  });
}

/** The class that a kernel asks by when it is run on a shape; undefined for a kernel that asks for none. */
export function shapeClassOfCase(runtime: Runtime, spec: KernelSpec, shape: unknown): ShapeClass | undefined {
  let asked: ShapeClass | undefined;
  runOnPaper(runtime, spec, shape, (paper) => {
    paper.tuning = {
      choose: (kernel, wanted) => {
        // A kernel that is made of others asks for itself first, and for its whole work.
        if (kernel === spec.name) asked ??= wanted;
        return undefined;
      },
    };
  });
  return asked;
}

/** The variants that differ in what they dispatch on some of these shapes: of those that are alike on all, the first. */
export function distinctVariants(
  runtime: Runtime,
  { spec, variants }: TunableKernel,
  shapes: readonly unknown[],
): Variant[] {
  const seen = new Set<string>();
  return variants.filter(({ name }) => {
    const dispatches = JSON.stringify(shapes.map((shape) => dispatchesOf(runtime, spec, shape, name)));
    if (seen.has(dispatches)) return false;
    seen.add(dispatches);
    return true;
  });
}

/** All that tells the dispatches of a variant on a shape from those of another one. */
function dispatchesOf(runtime: Runtime, spec: KernelSpec, shape: unknown, variant: string): unknown[] {
  const dispatches: unknown[] = [];
  runOnPaper(runtime, spec, shape, (paper) => {
    paper.forcedVariants.set(spec.name, variant);
    const run = paper.run.bind(paper);
    paper.run = (call) => {
      const { kernel, wgsl, constants, data, workgroups, joins } = call;
      // Which arrays there are, and of what, chooses blocks of the WGSL too.
      const arrays = Object.entries(call.arrays).map(([name, array]) => [name, array?.dtype]);
      dispatches.push({ kernel, wgsl, constants, data, workgroups, joins, arrays });
      run(call);
    };
  });
  return dispatches;
}

function runOnPaper(
  runtime: Runtime,
  spec: KernelSpec,
  shape: unknown,
  prepare: (paper: Runtime) => void,
): void {
  const paper = paperRuntime(likeRuntime(runtime));
  prepare(paper);
  const arrays = (specs: ReturnType<KernelSpec['inputs']>): GpuArrays =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape: extents, dtype }]) => [name, paper.empty(extents, dtype)]),
    );
  paper.scope(() => spec.run(paper, shape, arrays(spec.inputs(shape)), arrays(spec.outputs(shape))));
}

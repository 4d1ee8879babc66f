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
  const paper = paperRuntime(likeRuntime(runtime));
  let asked: ShapeClass | undefined;
  paper.tuning = {
    choose: (kernel, wanted) => {
      // A kernel that is made of others asks for itself first, and for its whole work.
      if (kernel === spec.name) asked ??= wanted;
      return undefined;
    },
  };
  const arrays = (specs: ReturnType<KernelSpec['inputs']>): GpuArrays =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape: extents, dtype }]) => [name, paper.empty(extents, dtype)]),
    );
  paper.scope(() => spec.run(paper, shape, arrays(spec.inputs(shape)), arrays(spec.outputs(shape))));
  return asked;
}

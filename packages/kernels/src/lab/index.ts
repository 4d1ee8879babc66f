/**
 * What tests, benchmarks and parity need to know of kernels, and programs do not: their cases, float64 references and
 * reproducible data, and how variants are chosen.
 */
export { kernelCatalogue } from './catalogue.js';
export {
  canHold,
  defineKernel,
  hasHalves,
  type ArraySpec,
  type GpuArrays,
  type HostArrays,
  type KernelCase,
  type KernelSpec,
  type Random,
} from '../kernel-spec.js';
export { shapeClass, shapeClassParts, type ShapeClass } from '../runtime/shape-class.js';
export { runnableVariants, selectVariant } from '../runtime/variants.js';
export { distinctVariants, shapeClassOfCase, tunableKernels, type TunableKernel } from './tunable-kernels.js';
export { makeHostData, roundedToF16, scaledError, toFloat64 } from '../testing/host-data.js';
export { proceduralParameter, proceduralVideo } from '../testing/procedural.js';
export { testRandom } from '../testing/random.js';

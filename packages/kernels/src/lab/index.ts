/**
 * What tests, benchmarks and parity need to know of kernels, and programs do not: their cases, float64 references and
 * reproducible data.
 */
export { kernelCatalogue } from './catalogue.js';
export * from '../kernel-spec.js';
export { shapeClassOfCase, tunableKernels, type TunableKernel } from './tunable-kernels.js';
export { makeHostData, roundedToF16, scaledError, toFloat64 } from '../testing/host-data.js';
export { proceduralParameter, proceduralVideo } from '../testing/procedural.js';
export { testRandom } from '../testing/random.js';

import { describe, expect, it } from 'vitest';
import { hasHalves } from '../kernel-spec.js';
import { paperRuntime } from '../runtime/paper-device.js';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import { distinctVariants, tunableKernels } from './tunable-kernels.js';

const unit: MatrixUnitConfig = { componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 };

describe('variants that are programs of their own', () => {
  const features = ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'];
  const runtime = paperRuntime({ adapter: { features, matrixUnits: [unit] }, precision: 'f16' });
  const product = tunableKernels(runtime).find(({ spec }) => spec.name === 'matmul')!;
  const shapes = product.spec.cases.filter(({ kind }) => kind === 'model').map(({ shape }) => shape);
  const namesOn = (some: readonly unknown[]) =>
    distinctVariants(runtime, product, some).map(({ name }) => name);
  const all = product.variants.map(({ name }) => name);

  it('are the first of those that dispatch the same', () => {
    // How arrays of f16 are copied is all that the variants for matrix units differ in.
    expect(namesOn(shapes.filter((shape) => !hasHalves(product.spec, shape)))).toEqual([all[0]]);
    expect(all.length).toBeGreaterThan(1);
  });

  it('are all where one shape of several tells them apart', () => expect(namesOn(shapes)).toEqual(all));
});

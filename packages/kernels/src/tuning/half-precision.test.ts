import { describe, expect, it } from 'vitest';
import { kernelCatalogue } from '../catalogue.js';
import { paperRuntime } from '../runtime/paper-device.js';
import type { AdapterSummary } from '../runtime/adapter.js';
import { halfVariants, missingForHalf } from './half-precision.js';

const rounding = kernelCatalogue.flatMap(({ name, variants }) =>
  variants.filter(({ precision }) => precision === 'f16').map((variant) => ({ kernel: name, variant })),
);
const features = [...new Set(rounding.flatMap(({ variant }) => variant.needs))];
const matrixUnits = [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }];
const withUnits = (change: Partial<AdapterSummary> = {}) =>
  paperRuntime({ adapter: { features, matrixUnits, ...change } });

describe('halfVariants', () => {
  it('are those that the device can run, chosen where rounding is allowed', () => {
    const runtime = withUnits();
    expect(halfVariants(runtime)).toContainEqual({
      kernel: 'matmul',
      variant: 'matrix-units',
      isChosen: false,
    });
    runtime.precision = 'f16';
    expect(halfVariants(runtime).find(({ kernel }) => kernel === 'matmul')?.isChosen).toBe(true);
    expect(missingForHalf(runtime)).toEqual([]);
  });

  it('are not chosen on a software adapter unless forced', () => {
    const runtime = withUnits({ isSoftware: true });
    runtime.precision = 'f16';
    const ofMatmul = () => halfVariants(runtime).find(({ kernel }) => kernel === 'matmul');
    expect(ofMatmul()?.isChosen).toBe(false);
    runtime.forcedVariants.set('matmul', 'matrix-units');
    expect(ofMatmul()?.isChosen).toBe(true);
  });

  it('are none without what they need, which is named', () => {
    const runtime = withUnits({ features: ['subgroups'], matrixUnits: [] });
    expect(halfVariants(runtime)).toEqual([]);
    expect(missingForHalf(runtime)).toEqual(features.filter((name) => name !== 'subgroups'));
  });
});

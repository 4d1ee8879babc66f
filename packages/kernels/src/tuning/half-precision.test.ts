import { describe, expect, it } from 'vitest';
import { kernelCatalogue } from '../lab/catalogue.js';
import { paperRuntime } from '../runtime/paper-device.js';
import type { AdapterSummary } from '../runtime/adapter.js';
import { HalfPrecisionError, halfVariants, useHalfPrecision, variantsInHalf } from './half-precision.js';

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
  });
});

describe('useHalfPrecision', () => {
  it('lets variants round where they are the better choice', () => {
    const runtime = withUnits();
    expect(variantsInHalf(runtime)).toEqual([]);
    expect(useHalfPrecision(runtime)).toContain('matmul matrix-units');
    expect(variantsInHalf(runtime)).toContain('matmul matrix-units');
    expect(runtime.precision).toBe('f16');
    expect(runtime.forcedVariants.size).toBe(0);
  });

  it('forces them on a software adapter, where they never are', () => {
    const runtime = withUnits({ isSoftware: true });
    expect(useHalfPrecision(runtime)).toContain('matmul matrix-units');
    expect(runtime.forcedVariants.get('matmul')).toBe('matrix-units');
  });

  it.each<[string, Partial<AdapterSummary>, RegExp]>([
    [
      'without what they need, which it names',
      { features: ['subgroups'] },
      /nothing on A GPU: .*lacks .*shader-f16/,
    ],
    [
      'whose units take no f16',
      { matrixUnits: [{ ...matrixUnits[0]!, componentType: 'u8' }] },
      /take no f16/,
    ],
  ])('refuses a device %s', (_, change, message) => {
    const runtime = withUnits({ description: 'A GPU', ...change });
    expect(() => useHalfPrecision(runtime)).toThrow(HalfPrecisionError);
    expect(() => useHalfPrecision(runtime)).toThrow(message);
    expect(runtime.precision).toBe('f32');
  });
});

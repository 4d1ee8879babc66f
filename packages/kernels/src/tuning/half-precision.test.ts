import { describe, expect, it, vi } from 'vitest';
import { kernelCatalogue } from '../lab/catalogue.js';
import { paperRuntime } from '../runtime/paper-device.js';
import type { AdapterSummary } from '../runtime/adapter.js';
import { useRuntime } from '../testing/test-runtime.js';
import { roundBeyondHalf } from './half-overflow.js';
import { HalfPrecisionError, halfVariants, useHalfPrecision, variantsInHalf } from './half-precision.js';

const rounding = kernelCatalogue.flatMap(({ name, variants }) =>
  variants.filter(({ precision }) => precision === 'f16').map((variant) => ({ kernel: name, variant })),
);
const features = [...new Set(rounding.flatMap(({ variant }) => variant.needs))];
const matrixUnits = [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }];
/** A GPU on paper whose kernels round ±70000 to what is given. */
function withUnits(change: Partial<AdapterSummary> = {}, rounded = [Infinity, -Infinity]) {
  const runtime = paperRuntime({ adapter: { features, matrixUnits, ...change } });
  vi.spyOn(runtime, 'read').mockResolvedValue(Float32Array.from(rounded));
  return runtime;
}

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
  it('lets variants round where they are the better choice', async () => {
    const runtime = withUnits();
    expect(variantsInHalf(runtime)).toEqual([]);
    expect(await useHalfPrecision(runtime)).toContain('matmul matrix-units');
    expect(variantsInHalf(runtime)).toContain('matmul matrix-units');
    expect(runtime.precision).toBe('f16');
    expect(runtime.forcedVariants.size).toBe(0);
  });

  it('forces them on a software adapter, where they never are', async () => {
    const runtime = withUnits({ isSoftware: true });
    expect(await useHalfPrecision(runtime)).toContain('matmul matrix-units');
    expect(runtime.forcedVariants.get('matmul')).toBe('matrix-units');
  });

  it.each<[string, Partial<AdapterSummary>]>([
    ['without matrix units', { features: ['shader-f16'], matrixUnits: [] }],
    ['whose units take no f16', { matrixUnits: [{ ...matrixUnits[0]!, componentType: 'u8' }] }],
  ])('lets models store f16 on a device %s, where no variant rounds', async (_, change) => {
    const runtime = withUnits(change);
    expect(runtime.activationDtype).toBe('f32');
    expect(await useHalfPrecision(runtime)).toEqual([]);
    expect(runtime.activationDtype).toBe('f16');
    expect(runtime.forcedVariants.size).toBe(0);
  });

  it.each<[string, Partial<AdapterSummary>, RegExp, number[]?]>([
    ['without f16, which it names', { features: ['subgroups'] }, /stored on A GPU: it lacks shader-f16/],
    ['that hides overflow', {}, /±70000 becomes 65504 and -65504 .* compute in f32/, [65504, -65504]],
    ['that hides overflow of one sign', {}, /hides overflow on A GPU/, [Infinity, -65504]],
  ])('refuses a device %s', async (_, change, message, rounded) => {
    const runtime = withUnits({ description: 'A GPU', ...change }, rounded);
    await expect(useHalfPrecision(runtime)).rejects.toThrow(HalfPrecisionError);
    await expect(useHalfPrecision(runtime)).rejects.toThrow(message);
    expect(runtime.precision).toBe('f32');
  });
});

describe('roundBeyondHalf', () => {
  const runtime = useRuntime();

  it('finds infinities on this device', async ({ skip }) => {
    skip(!runtime().hasFeature('shader-f16'), 'this device has no f16');
    expect(await roundBeyondHalf(runtime())).toEqual([Infinity, -Infinity]);
  });
});

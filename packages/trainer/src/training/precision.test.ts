import { paperRuntime, type AdapterSummary } from '@tubelet/kernels';
import { kernelCatalogue, selectVariant } from '@tubelet/kernels/lab';
import { variantsInHalf } from '@tubelet/kernels/tuning';
import { describe, expect, it, vi } from 'vitest';
import { inFullPrecision, PrecisionError, usePrecision } from './precision.js';
import { savedSettings } from './settings.js';

const matmul = kernelCatalogue.find(({ name }) => name === 'matmul')!;
const features = [
  ...new Set(kernelCatalogue.flatMap(({ variants }) => variants.flatMap(({ needs }) => needs))),
];
const matrixUnits = [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }];

/** A device on paper; with all that f16 can use unless changed. */
async function use(precision: 'f32' | 'f16', change: Partial<AdapterSummary> = {}, beyondHalf = Infinity) {
  const runtime = paperRuntime({ adapter: { description: 'A GPU', features, matrixUnits, ...change } });
  vi.spyOn(runtime, 'read').mockResolvedValue(Float32Array.of(beyondHalf, -beyondHalf));
  const notes: string[] = [];
  await usePrecision(runtime, precision, (note) => notes.push(note));
  return { runtime, notes, product: () => selectVariant(runtime, 'matmul', matmul.variants).name };
}

describe('--precision', () => {
  it('f16 lets products use matrix units, and says so', async () => {
    const { runtime, notes, product } = await use('f16');
    expect(product()).toBe('matrix-units');
    expect(variantsInHalf(runtime)).toContain('matmul matrix-units');
    expect(notes).toEqual([
      expect.stringMatching(/f16 under a dynamic loss scale; products of f16 by .*matmul matrix-units/),
    ]);
  });

  it('f16 uses the units of a software driver too, which are nowhere the better choice, and says that it is slow', async () => {
    const { notes, product } = await use('f16', { isSoftware: true });
    expect(product()).toBe('matrix-units');
    expect(notes[0]).toMatch(/slower than f32/);
  });

  it('f16 is what is stored on a GPU without matrix units, and says what that gains', async () => {
    const { runtime, notes, product } = await use('f16', { features: ['shader-f16'], matrixUnits: [] });
    expect(runtime.activationDtype).toBe('f16');
    expect(product()).toBe('outer');
    expect(notes).toEqual([expect.stringMatching(/products in f32, since no matrix units take f16/)]);
  });

  it('f32 changes nothing', async () => {
    const { runtime, notes, product } = await use('f32');
    expect(product()).not.toBe('matrix-units');
    expect(variantsInHalf(runtime)).toEqual([]);
    expect(notes).toEqual([]);
  });

  it.each<[string, Partial<AdapterSummary>, RegExp, number?]>([
    ['without f16', { features: ['subgroups'], matrixUnits: [] }, /lacks shader-f16/],
    ['that hides overflow', {}, /70000 becomes 65504/, 65504],
  ])('f16 is refused on a GPU %s', async (_, change, reason, beyondHalf) => {
    const used = () => use('f16', change, beyondHalf);
    await expect(used()).rejects.toThrow(PrecisionError);
    await expect(used()).rejects.toThrow(/--precision f16: f16 .* on A GPU.*--precision f32/);
    await expect(used()).rejects.toThrow(reason);
  });

  it.each([false, true])('is f32 for as long as a validation takes (software: %s)', async (isSoftware) => {
    const { runtime, product } = await use('f16', { isSoftware });
    const during = await inFullPrecision(runtime, async () => product());
    expect(during).not.toBe('matrix-units');
    expect(product()).toBe('matrix-units');
    await expect(inFullPrecision(runtime, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(product()).toBe('matrix-units');
  });

  it('was f32 in runs that were begun before there was a choice', () => {
    expect(savedSettings({ settings: { lr: 1 } })).toEqual({ lr: 1, precision: 'f32' });
    expect(savedSettings({ settings: { precision: 'f16' } })).toEqual({ precision: 'f16' });
  });
});

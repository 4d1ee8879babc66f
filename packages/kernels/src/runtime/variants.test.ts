import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { Runtime } from './runtime.js';
import { shapeClass } from './shape-class.js';
import {
  VariantError,
  exchangeableVariants,
  runnableVariants,
  selectVariant,
  type Variant,
  type VariantTuning,
} from './variants.js';

const variants: readonly Variant[] = [
  { name: 'units', needs: ['no-such-feature'], prefers: 'gpu' },
  { name: 'shared', needs: [], prefers: 'gpu' },
  { name: 'registers', needs: [], prefers: 'software' },
  { name: 'plain', needs: [], prefers: 'any' },
];

describe('selectVariant', () => {
  const runtime = useRuntime();

  it('takes the first that the device can run and that is meant for it', () => {
    expect(runnableVariants(runtime(), variants).map(({ name }) => name)).toEqual([
      'shared',
      'registers',
      'plain',
    ]);
    const meant = runtime().adapter.isSoftware ? 'registers' : 'shared';
    expect(selectVariant(runtime(), 'k', variants).name).toBe(meant);
    expect(selectVariant(runtime(), 'k', [variants[0]!, variants[3]!]).name).toBe('plain');
    const other = runtime().adapter.isSoftware ? variants[1]! : variants[2]!;
    expect(selectVariant(runtime(), 'k', [other]).name).toBe(other.name);
  });

  it('obeys a forced variant of that kernel only', () => {
    runtime().forcedVariants.set('k', 'plain');
    try {
      expect(selectVariant(runtime(), 'k', variants).name).toBe('plain');
      expect(selectVariant(runtime(), 'other', variants).name).not.toBe('plain');
    } finally {
      runtime().forcedVariants.delete('k');
    }
  });

  it.each(['tiled', 'units'])('says what can run when the forced variant "%s" cannot', (name) => {
    runtime().forcedVariants.set('k', name);
    try {
      expect(() => selectVariant(runtime(), 'k', variants)).toThrow(
        new VariantError(
          `kernel k has no variant "${name}" on this device; it can run: shared, registers, plain`,
        ),
      );
    } finally {
      runtime().forcedVariants.delete('k');
    }
  });

  it('rounds inputs only where that is allowed, and the variant is meant for the adapter', () => {
    const [mine, others] = runtime().adapter.isSoftware
      ? (['software', 'gpu'] as const)
      : (['gpu', 'software'] as const);
    const half = (name: string, prefers: Variant['prefers']): Variant => ({
      name,
      needs: [],
      prefers,
      precision: 'f16',
    });
    const exact: Variant = { name: 'exact', needs: [], prefers: mine };
    const chosen = (list: readonly Variant[]) => selectVariant(runtime(), 'k', list).name;
    const list = [half('other half', others), half('half', mine), exact];
    expect(chosen(list)).toBe('exact');
    expect(() => chosen([half('only', mine)])).toThrow(VariantError);
    runtime().precision = 'f16';
    try {
      expect(chosen(list)).toBe('half');
      expect(exchangeableVariants(runtime(), list).map(({ name }) => name)).toEqual(['half', 'other half']);
      expect(chosen([half('other half', others), exact])).toBe('exact');
    } finally {
      runtime().precision = 'f32';
    }
    expect(chosen(list)).toBe('exact');
  });

  it('asks a variant whether the device will do', () => {
    const never: Variant = { name: 'never', needs: [], prefers: 'any', canRun: () => false };
    expect(runnableVariants(runtime(), [never, variants[3]!])).toEqual([variants[3]]);
  });

  it('says so when no variant can run', () =>
    expect(() => selectVariant(runtime(), 'k', [variants[0]!])).toThrow(VariantError));

  it('takes what is meant for the kind of adapter before what is second choice everywhere', () => {
    const { device, adapter } = runtime();
    const on = (isSoftware: boolean) => new Runtime(device, { ...adapter, isSoftware });
    const list: readonly Variant[] = [
      { name: 'general', needs: [], prefers: ['gpu', 'any'] },
      { name: 'small', needs: [], prefers: 'software' },
    ];
    expect(selectVariant(on(true), 'k', list).name).toBe('small');
    expect(selectVariant(on(false), 'k', list).name).toBe('general');
    expect(selectVariant(on(true), 'k', [list[0]!]).name).toBe('general');
  });

  describe('with measurements', () => {
    const measured: VariantTuning = {
      choose: (kernel, shape) => {
        if (kernel === 'rounds') return 'half';
        if (kernel === 'unknown') return 'units';
        return kernel === 'k' && shape === shapeClass(0, 64) ? 'plain' : undefined;
      },
    };
    const shipped = () => selectVariant(runtime(), 'k', variants).name;
    const tuned = <T>(body: () => T): T => {
      runtime().tuning = measured;
      try {
        return body();
      } finally {
        runtime().tuning = undefined;
      }
    };
    const name = (kernel: string, shape?: number, list = variants) =>
      tuned(() => selectVariant(runtime(), kernel, list, shape).name);

    it('takes the measured variant for the class of shapes, the shipped one for all others', () => {
      expect(name('k', shapeClass(0, 33))).toBe('plain');
      expect(name('k', shapeClass(0, 65))).toBe(shipped());
      expect(name('other', shapeClass(0, 33))).toBe(shipped());
      expect(name('k')).toBe(shipped());
      expect(selectVariant(runtime(), 'k', variants, shapeClass(0, 33)).name).toBe(shipped());
    });

    it('never exchanges precision, nor takes what cannot run; what is forced goes first', () => {
      const half: Variant = { name: 'half', needs: [], prefers: 'any', precision: 'f16' };
      const list = [...variants, half];
      expect(name('rounds', shapeClass(0, 1), list)).toBe(shipped());
      expect(exchangeableVariants(runtime(), list).map((variant) => variant.name)).not.toContain('half');
      expect(exchangeableVariants(runtime(), list)[0]!.name).toBe(shipped());
      expect(name('unknown', shapeClass(0, 1))).toBe(shipped());
      runtime().forcedVariants.set('k', 'shared');
      try {
        expect(name('k', shapeClass(0, 33))).toBe('shared');
      } finally {
        runtime().forcedVariants.delete('k');
      }
    });
  });
});

import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { VariantError, runnableVariants, selectVariant, type Variant } from './variants.js';

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

  it('says so when no variant can run', () =>
    expect(() => selectVariant(runtime(), 'k', [variants[0]!])).toThrow(VariantError));
});

import { describe, expect, it } from 'vitest';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import { matrixUnit } from './matrix-device.js';

const unit = (m: number, n: number, k: number, result = 'f32', component = 'f16'): MatrixUnitConfig => ({
  componentType: component,
  resultComponentType: result,
  m,
  n,
  k,
});

describe('matrixUnit', () => {
  it('takes f16 operands with f32 sums, and the largest of several', () => {
    const configs = [
      unit(32, 32, 32, 'f16'),
      unit(8, 8, 16),
      unit(16, 16, 16),
      unit(32, 32, 32, 'i32', 'i8'),
    ];
    expect(matrixUnit(configs)).toEqual(unit(16, 16, 16));
    expect(matrixUnit([unit(8, 8, 8), unit(8, 8, 8, 'f16')])).toEqual(unit(8, 8, 8));
  });

  it('takes the first of equals', () =>
    expect(matrixUnit([unit(8, 32, 16), unit(32, 8, 16)])).toEqual(unit(8, 32, 16)));

  it('finds none where there is none', () => {
    expect(matrixUnit([])).toBeUndefined();
    expect(matrixUnit([unit(8, 8, 8, 'f16'), unit(8, 8, 8, 'f32', 'f32'), unit(6, 8, 8)])).toBeUndefined();
  });
});

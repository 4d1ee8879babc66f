import { describe, expect, it } from 'vitest';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import { matrixTiling, matrixUnit, tilingConstants } from './matmul-matrix-tiling.js';

const unit = (m: number, n: number, k: number, result = 'f32', component = 'f16'): MatrixUnitConfig => ({
  componentType: component,
  resultComponentType: result,
  m,
  n,
  k,
});

const device = (configs: readonly MatrixUnitConfig[], subgroupMaxSize: number, overrides = {}) => ({
  configs,
  subgroupMaxSize,
  maxWorkgroupInvocations: 1024,
  maxWorkgroupBytes: 32768,
  ...overrides,
});

const large = { m: 808, n: 2048 };

describe('matrixUnit', () => {
  it('takes f16 operands with f32 sums, and the largest of several', () => {
    const configs = [
      unit(32, 32, 32, 'f16'),
      unit(8, 8, 16),
      unit(16, 16, 16),
      unit(16, 8, 8),
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

describe('matrixTiling', () => {
  it('cuts a large output into 64 × 64 for 16×16×16 units and subgroups of 32', () => {
    expect(matrixTiling(large, device([unit(16, 16, 16)], 32))).toEqual({
      unit: unit(16, 16, 16),
      subgroupRows: 2,
      subgroupColumns: 2,
      unitsDown: 2,
      unitsAcross: 2,
      kTile: 32,
      invocations: 128,
      rows: 64,
      columns: 64,
      // A and B: 64 rows of 32 + 8 halves; 2 rows of units, 16 × 64; 64 sums of rows.
      workgroupBytes: 2 * 64 * 40 * 2 + 2 * 16 * 64 * 4 + 64 * 4,
    });
  });

  it('gives 8×8×8 units the same block for subgroups of 32, and a quarter of it for subgroups of 8', () => {
    const wide = matrixTiling(large, device([unit(8, 8, 8)], 32))!;
    expect(wide).toMatchObject({ unitsDown: 4, unitsAcross: 4, rows: 64, columns: 64, invocations: 128 });
    const narrow = matrixTiling(large, device([unit(8, 8, 8)], 8))!;
    expect(narrow).toMatchObject({ unitsDown: 2, unitsAcross: 2, rows: 32, columns: 32, invocations: 32 });
  });

  it('keeps parts as square as units that are not square allow', () => {
    const tiling = matrixTiling(large, device([unit(8, 16, 16)], 32))!;
    expect(tiling).toMatchObject({ unitsDown: 4, unitsAcross: 2, rows: 64, columns: 64, kTile: 32 });
  });

  it('does not reach beyond a small output by a whole unit', () => {
    expect(matrixTiling({ m: 1, n: 1 }, device([unit(16, 16, 16)], 32))).toMatchObject({
      rows: 16,
      columns: 16,
      invocations: 32,
    });
    expect(matrixTiling({ m: 7, n: 512 }, device([unit(8, 8, 8)], 32))).toMatchObject({
      unitsDown: 1,
      unitsAcross: 16,
      subgroupRows: 1,
      subgroupColumns: 2,
      rows: 8,
      columns: 256,
    });
    expect(matrixTiling({ m: 512, n: 20 }, device([unit(16, 16, 16)], 32))).toMatchObject({ columns: 32 });
  });

  it('makes a step of k whole units, however long they are', () => {
    expect(matrixTiling(large, device([unit(16, 16, 64)], 32))?.kTile).toBe(64);
    expect(matrixTiling(large, device([unit(16, 16, 12)], 32))?.kTile).toBe(36);
  });

  it('fits workgroups that are small, and gives up where not even one unit fits', () => {
    const few = matrixTiling(large, device([unit(16, 16, 16)], 128, { maxWorkgroupInvocations: 256 }))!;
    expect(few).toMatchObject({ subgroupRows: 2, subgroupColumns: 1, invocations: 256 });
    const tight = matrixTiling(large, device([unit(16, 16, 16)], 32, { maxWorkgroupBytes: 8192 }))!;
    expect(tight.workgroupBytes).toBeLessThanOrEqual(8192);
    expect(matrixTiling(large, device([unit(16, 16, 16)], 32, { maxWorkgroupBytes: 1024 }))).toBeUndefined();
    expect(
      matrixTiling(large, device([unit(16, 16, 16)], 64, { maxWorkgroupInvocations: 32 })),
    ).toBeUndefined();
    expect(matrixTiling(large, device([], 32))).toBeUndefined();
    expect(matrixTiling(large, device([unit(16, 16, 16)], 0))).toBeUndefined();
  });

  it('keeps every rule of the kernel for all units, subgroups, extents and limits', () => {
    const units = [
      unit(8, 8, 8),
      unit(16, 16, 16),
      unit(8, 16, 16),
      unit(16, 8, 8),
      unit(32, 8, 16),
      unit(8, 32, 16),
    ];
    for (const config of units) {
      for (const lanes of [4, 8, 16, 32, 64, 128]) {
        for (const [m, n] of [
          [1, 1],
          [7, 512],
          [101, 257],
          [512, 9],
          [2048, 2048],
        ] as const) {
          for (const maxWorkgroupBytes of [4096, 16384, 49152]) {
            const tiling = matrixTiling({ m, n }, device([config], lanes, { maxWorkgroupBytes }));
            if (!tiling) {
              expect(maxWorkgroupBytes).toBe(4096);
              continue;
            }
            const { rows, columns, kTile, invocations } = tiling;
            expect(invocations % lanes).toBe(0);
            expect(invocations / lanes).toBe(tiling.subgroupRows * tiling.subgroupColumns);
            expect(rows).toBe(tiling.subgroupRows * tiling.unitsDown * config.m);
            expect(columns).toBe(tiling.subgroupColumns * tiling.unitsAcross * config.n);
            expect(kTile % config.k).toBe(0);
            expect(kTile % 4).toBe(0);
            expect(tiling.workgroupBytes).toBeLessThanOrEqual(maxWorkgroupBytes);
            // Blocks may overhang the output, but no subgroup of the first one is wholly outside.
            expect((tiling.subgroupRows - 1) * tiling.unitsDown * config.m).toBeLessThan(m);
            expect((tiling.subgroupColumns - 1) * tiling.unitsAcross * config.n).toBeLessThan(n);
            const sums = tiling.unitsDown * tiling.unitsAcross * config.m * config.n;
            expect(sums <= 32 * lanes || tiling.unitsDown * tiling.unitsAcross === 1).toBe(true);
          }
        }
      }
    }
  });

  it('names its extents as the kernel does', () => {
    expect(tilingConstants(matrixTiling(large, device([unit(8, 16, 16)], 32))!)).toEqual({
      UNIT_M: 8,
      UNIT_N: 16,
      UNIT_K: 16,
      SUBGROUP_ROWS: 2,
      SUBGROUP_COLUMNS: 2,
      UNITS_DOWN: 4,
      UNITS_ACROSS: 2,
      TILE_K: 32,
      PADDING: 8,
      INVOCATIONS: 128,
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import { matrixTiling, tilingConstants } from './matmul-matrix-tiling.js';

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

const extents = (m: number, n: number, k = 512) => ({ groups: 1, m, n, k });
const large = extents(6464, 2048);

describe('matrixTiling', () => {
  it('cuts a large output into 128 × 128 for 16×16×16 units and subgroups of 32', () => {
    expect(matrixTiling(large, device([unit(16, 16, 16)], 32, { maxWorkgroupBytes: 49152 }))).toEqual({
      unit: unit(16, 16, 16),
      down: 4,
      across: 2,
      subgroupRows: 2,
      subgroupColumns: 4,
      kGroups: 1,
      kTile: 32,
      invocations: 256,
      rows: 128,
      columns: 128,
      // A and B: 128 rows of 32 + 8 halves; 2 rows of units, 16 × 128; a vec4 of each invocation.
      workgroupBytes: 2 * 128 * 40 * 2 + 2 * 16 * 128 * 4 + 256 * 16,
    });
  });

  it('takes as large a part as the registers of a subgroup hold', () => {
    expect(matrixTiling(large, device([unit(8, 8, 8)], 32))).toMatchObject({
      down: 4,
      across: 4,
      rows: 64,
      columns: 128,
    });
    expect(matrixTiling(large, device([unit(8, 8, 8)], 8))).toMatchObject({
      down: 4,
      across: 2,
      rows: 64,
      columns: 64,
    });
    expect(matrixTiling(large, device([unit(8, 8, 8)], 4))).toMatchObject({
      down: 2,
      across: 2,
      rows: 32,
      columns: 32,
    });
    expect(matrixTiling(large, device([unit(8, 16, 16)], 32))).toMatchObject({
      down: 4,
      across: 4,
      kTile: 32,
    });
  });

  it('makes more and smaller blocks where large ones would leave a GPU idle', () => {
    const gpu = device([unit(16, 16, 16)], 32, { maxWorkgroupBytes: 49152 });
    expect(matrixTiling(extents(704, 512), gpu)).toMatchObject({ down: 2, across: 2, rows: 64, columns: 64 });
    expect(matrixTiling(extents(64, 512), gpu)).toMatchObject({ down: 2, across: 2, rows: 32, columns: 32 });
    // Where they are too few all the same, subgroups share the steps of k.
    expect(matrixTiling(extents(64, 512), gpu)).toMatchObject({ kGroups: 8, kTile: 128, invocations: 256 });
    expect(matrixTiling(extents(64, 512), { ...gpu, maxWorkgroupBytes: 32768 })).toMatchObject({
      kGroups: 4,
      kTile: 64,
      invocations: 128,
    });
    expect(matrixTiling({ ...extents(64, 512), groups: 64 }, gpu)).toMatchObject({ rows: 128, columns: 128 });
    // K is split where it is long.
    expect(matrixTiling(extents(512, 512, 6464), gpu)).toMatchObject({ rows: 128, columns: 128 });
  });

  it('makes a step of k whole units, however long they are', () => {
    expect(matrixTiling(large, device([unit(16, 16, 64)], 32))?.kTile).toBe(64);
    expect(matrixTiling(large, device([unit(16, 16, 4)], 32))?.kTile).toBe(32);
  });

  it('fits workgroups that are small, and gives up where not even the smallest block fits', () => {
    const few = matrixTiling(large, device([unit(16, 16, 16)], 128, { maxWorkgroupInvocations: 256 }))!;
    expect(few).toMatchObject({ down: 2, across: 2, subgroupRows: 1, subgroupColumns: 2, invocations: 256 });
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
    const outputs = [extents(1, 1), extents(7, 512), extents(101, 257), extents(512, 9), extents(2048, 2048)];
    for (const config of units) {
      for (const lanes of [4, 8, 16, 32, 64, 128]) {
        for (const output of outputs) {
          for (const maxWorkgroupBytes of [4096, 16384, 49152]) {
            const tiling = matrixTiling(output, device([config], lanes, { maxWorkgroupBytes }));
            if (!tiling) {
              expect(maxWorkgroupBytes, `${JSON.stringify(config)} ${lanes}`).toBe(4096);
              continue;
            }
            const { down, across, rows, columns, kGroups, kTile, invocations } = tiling;
            expect(invocations).toBe(lanes * tiling.subgroupRows * tiling.subgroupColumns * kGroups);
            expect(rows).toBe(tiling.subgroupRows * down * config.m);
            expect(columns).toBe(tiling.subgroupColumns * across * config.n);
            expect(kTile % (kGroups * config.k)).toBe(0);
            expect(kGroups === 1 || tiling.subgroupRows * tiling.subgroupColumns === 1).toBe(true);
            expect(kTile % 4).toBe(0);
            expect(tiling.workgroupBytes).toBeLessThanOrEqual(maxWorkgroupBytes);
            expect(down * across * config.m * config.n <= 64 * lanes || down * across === 4).toBe(true);
          }
        }
      }
    }
  });

  it('names its extents as the kernel does', () => {
    expect(tilingConstants(matrixTiling(large, device([unit(8, 16, 16)], 16))!)).toEqual({
      UNIT_M: 8,
      UNIT_N: 16,
      UNIT_K: 16,
      UNITS_DOWN: 4,
      UNITS_ACROSS: 2,
      SUBGROUP_ROWS: 2,
      SUBGROUP_COLUMNS: 4,
      K_GROUPS: 1,
      TILE_K: 32,
      PADDING: 8,
      INVOCATIONS: 128,
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import {
  attentionMatrixTiling,
  backwardKeyKernel,
  backwardQueryKernel,
  forwardKernel,
  matrixTilingConstants,
  paysOnMatrixUnits,
  windowTiling,
} from './attention-matrix-tiling.js';

const unit = (m: number, n: number, k: number): MatrixUnitConfig => ({
  componentType: 'f16',
  resultComponentType: 'f32',
  m,
  n,
  k,
});

const device = (config: MatrixUnitConfig, subgroupMaxSize: number, overrides = {}) => ({
  configs: [config],
  subgroupMaxSize,
  maxWorkgroupInvocations: 1024,
  maxWorkgroupBytes: 49152,
  ...overrides,
});

const decoder = { blockRows: 800, stepRows: 800, headDimension: 64 };
const window = { blockRows: 101, stepRows: 101, headDimension: 64 };

describe('attentionMatrixTiling', () => {
  it('gives four subgroups 64 queries against 64 keys at a time for 16×16×16 units and subgroups of 32', () => {
    for (const extents of [decoder, window]) {
      expect(attentionMatrixTiling(extents, device(unit(16, 16, 16), 32), forwardKernel)).toEqual({
        unit: unit(16, 16, 16),
        strips: 4,
        rows: 64,
        step: 64,
        depth: 64,
        invocations: 128,
        // Rows of 64 + 8: halves of K (or Q, or weights) and V, scores in f32; three numbers for each of 256.
        workgroupBytes: 2 * 2 * 64 * 72 + 4 * 64 * 72 + 3 * 4 * 256 + 16,
      });
    }
  });

  it('gives the gradients the same rows, 32 at a time of the others, in less than 48 KiB', () => {
    const gpu = device(unit(16, 16, 16), 32);
    expect(attentionMatrixTiling(window, gpu, backwardQueryKernel)).toMatchObject({
      strips: 4,
      step: 32,
      // K, then V or ds; scores and dp side by side; two numbers a row.
      workgroupBytes: 2 * (32 * 72 + 64 * 40) + 4 * 64 * 72 + 4 * 2 * 64,
    });
    expect(attentionMatrixTiling(window, gpu, backwardKeyKernel)).toMatchObject({
      strips: 4,
      step: 32,
      // Q and dout, p and ds; scores and dp side by side; two numbers for each of 32 queries.
      workgroupBytes: 2 * (2 * 32 * 72 + 2 * 64 * 40) + 4 * 64 * 72 + 4 * 2 * 32,
    });
  });

  it('shares few rows out evenly', () => {
    const strips = (blockRows: number) =>
      attentionMatrixTiling({ ...window, blockRows }, device(unit(16, 16, 16), 32), forwardKernel)?.strips;
    expect([1, 16, 17, 64, 65, 101, 129].map(strips)).toEqual([1, 1, 2, 4, 3, 4, 3]);
  });

  it('takes no longer steps than there are rows to go through', () => {
    const step = (stepRows: number) =>
      attentionMatrixTiling({ ...window, stepRows }, device(unit(16, 16, 16), 32), forwardKernel)?.step;
    expect([1, 32, 33, 1000].map(step)).toEqual([32, 32, 64, 64]);
  });

  it('rounds heads up to whole units', () => {
    const depth = (headDimension: number, config: MatrixUnitConfig) =>
      attentionMatrixTiling({ ...window, headDimension }, device(config, 32), forwardKernel)?.depth;
    expect(depth(30, unit(16, 16, 16))).toBe(32);
    expect(depth(30, unit(8, 8, 8))).toBe(32);
    expect(depth(24, unit(16, 8, 16))).toBe(32);
    expect(depth(24, unit(16, 8, 8))).toBe(24);
  });

  it('fits small workgroups, and gives up where not even one strip fits', () => {
    const tight = device(unit(16, 16, 16), 128, { maxWorkgroupBytes: 16384, maxWorkgroupInvocations: 256 });
    expect(attentionMatrixTiling(decoder, tight, forwardKernel)).toMatchObject({ strips: 1, step: 32 });
    expect(attentionMatrixTiling({ ...decoder, headDimension: 128 }, tight, forwardKernel)).toBeUndefined();
    const few = device(unit(16, 16, 16), 64, { maxWorkgroupInvocations: 32 });
    expect(attentionMatrixTiling(decoder, few, forwardKernel)).toBeUndefined();
    // 16 units in a row: more than the kernels are written out for.
    const small = device(unit(8, 8, 8), 32);
    expect(attentionMatrixTiling({ ...decoder, headDimension: 128 }, small, forwardKernel)).toBeUndefined();
    expect(attentionMatrixTiling(decoder, { ...small, configs: [] }, forwardKernel)).toBeUndefined();
    expect(attentionMatrixTiling(decoder, { ...small, subgroupMaxSize: 0 }, forwardKernel)).toBeUndefined();
  });

  const kernels = {
    forward: forwardKernel,
    'backward, queries': backwardQueryKernel,
    'backward, keys': backwardKeyKernel,
  };
  const rules = Object.entries(kernels).flatMap(([name, kernel]) =>
    [unit(8, 8, 8), unit(16, 16, 16), unit(8, 16, 16), unit(16, 8, 16), unit(32, 8, 16)].flatMap((config) =>
      [4, 8, 16, 32, 64, 128].map((lanes) => ({ name, kernel, config, lanes })),
    ),
  );
  it.each(rules)(
    'keeps every rule of the kernel, $name, with $config.m×$config.n×$config.k units and subgroups of $lanes',
    ({ kernel, config, lanes }) => {
      for (const [blockRows, stepRows] of [
        [1, 1],
        [11, 11],
        [101, 101],
        [7, 257],
        [800, 8],
      ] as const) {
        for (const headDimension of [3, 24, 64, 128]) {
          for (const maxWorkgroupBytes of [16384, 32768, 49152]) {
            const limits = { maxWorkgroupBytes, maxWorkgroupInvocations: 256 };
            const extents = { blockRows, stepRows, headDimension };
            const tiling = attentionMatrixTiling(extents, device(config, lanes, limits), kernel);
            if (!tiling) {
              expect(headDimension).toBeGreaterThan(24);
              continue;
            }
            const { strips, rows, step, depth, invocations, workgroupBytes } = tiling;
            expect(rows).toBe(strips * config.m);
            expect(invocations).toBe(strips * lanes);
            expect([step % 16, step % (2 * config.n), step % config.k]).toEqual([0, 0, 0]);
            expect([depth % config.n, depth % config.k]).toEqual([0, 0]);
            expect(depth).toBeGreaterThanOrEqual(headDimension);
            expect(workgroupBytes).toBeLessThanOrEqual(maxWorkgroupBytes);
            // Blocks may overhang, but no strip of the first one is wholly outside.
            expect((strips - 1) * config.m).toBeLessThan(blockRows);
            // What invocations that share a row hold of it: four elements for each 16.
            expect(step).toBeLessThanOrEqual(kernel.longestStep);
          }
        }
      }
    },
  );

  it('names its extents as the kernels do', () => {
    const tiling = attentionMatrixTiling(window, device(unit(8, 16, 16), 32), forwardKernel)!;
    expect(matrixTilingConstants(tiling, true)).toEqual({
      UNIT_M: 8,
      UNIT_N: 16,
      UNIT_K: 16,
      STRIPS: 4,
      DEPTH: 64,
      INVOCATIONS: 128,
      KEEP_LOOPS: true,
    });
  });
});

describe('windowTiling', () => {
  const keysOf = (keys: number, channels = 512) => ({ groups: 64, queries: keys, keys, channels, heads: 8 });

  it('holds all keys of a window, 16 queries at a time', () => {
    const tiling = windowTiling(keysOf(101), device(unit(16, 16, 16), 32));
    expect(tiling).toEqual({
      unit: unit(16, 16, 16),
      strips: 7,
      rows: 112,
      step: 16,
      depth: 64,
      invocations: 224,
      // K (or V), Q and dout, p and ds; scores and dp side by side; two numbers for each of 16 queries.
      workgroupBytes: 2 * (112 * 72 + 2 * 16 * 72 + 2 * 112 * 24) + 4 * 112 * 36 + 4 * 2 * 16,
    });
    expect(tiling!.workgroupBytes).toBeLessThan(48 * 1024);
  });

  it('makes strips whole units of k', () =>
    expect(windowTiling(keysOf(101), device(unit(8, 16, 16), 32))).toMatchObject({ strips: 14, rows: 112 }));

  it('leaves what a device cannot hold to the kernels that go by blocks', () => {
    expect(windowTiling(keysOf(800), device(unit(16, 16, 16), 32))).toBeUndefined();
    expect(
      windowTiling(keysOf(101), device(unit(16, 16, 16), 32, { maxWorkgroupBytes: 32768 })),
    ).toBeUndefined();
    expect(
      windowTiling(keysOf(101), device(unit(8, 8, 8), 32, { maxWorkgroupInvocations: 256 })),
    ).toBeUndefined();
    expect(windowTiling(keysOf(16, 1024), device(unit(8, 8, 8), 32))).toBeUndefined();
    expect(windowTiling(keysOf(16), { ...device(unit(8, 8, 8), 32), configs: [] })).toBeUndefined();
  });
});

describe('paysOnMatrixUnits', () => {
  const pays = (queries: number, keys: number, headDimension: number, config = unit(16, 16, 16)) =>
    paysOnMatrixUnits({ groups: 64, queries, keys, channels: 8 * headDimension, heads: 8 }, [config], 16);

  it('is so for windows and for long sequences, not for few rows or heads of odd extents', () => {
    expect(pays(101, 101, 64)).toBe(true);
    expect(pays(800, 800, 64)).toBe(true);
    expect(pays(800, 8, 64)).toBe(false);
    expect(pays(8, 8, 64)).toBe(false);
    expect(pays(11, 11, 64)).toBe(false);
    expect(pays(101, 101, 24)).toBe(false);
    expect(pays(101, 101, 24, unit(8, 8, 8))).toBe(true);
    expect(pays(101, 101, 128)).toBe(true);
    expect(pays(101, 101, 128, unit(8, 8, 8))).toBe(false);
    expect(paysOnMatrixUnits({ groups: 1, queries: 64, keys: 64, channels: 64, heads: 1 }, [], 16)).toBe(
      false,
    );
  });
});

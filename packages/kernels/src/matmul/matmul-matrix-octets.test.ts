import { describe, expect, it } from 'vitest';
import type { GpuArray } from '../runtime/gpu-array.js';
import { paperRuntime } from '../runtime/paper-device.js';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import { octetCopies } from './matmul-matrix-octets.js';
import { matrixTiling } from './matmul-matrix-tiling.js';
import { planMatmul } from './matmul-plan.js';

const unit = (m: number, n: number, k: number): MatrixUnitConfig => ({
  ...{ componentType: 'f16', resultComponentType: 'f32' },
  ...{ m, n, k },
});

const device = (config: MatrixUnitConfig, subgroupMaxSize: number, maxWorkgroupBytes: number) => ({
  configs: [config],
  subgroupMaxSize,
  maxWorkgroupInvocations: 1024,
  maxWorkgroupBytes,
});

const extents = (m: number, n: number, k = 512) => ({ groups: 1, m, n, k });
const large = extents(6464, 2048);

const halves = { mostRegisters: 24, aBytes: 2, bBytes: 2 };

function copiesOn(gpu: ReturnType<typeof device>, output = large, more = {}) {
  return octetCopies(matrixTiling(output, gpu)!, gpu, { ...halves, ...more });
}

describe('octetCopies', () => {
  it('has room for two blocks of 128 × 32 of each operand in 48 KB', () => {
    expect(copiesOn(device(unit(16, 16, 16), 32, 49152))).toEqual({
      // 128 rows of 32 + 8 halves, of A and B, twice.
      workgroupBytes: 2 * 2 * 128 * 40 * 2,
      // 512 pieces of 16 bytes among 256 invocations; 2 · 2 · 16 rows of 128 sums where the blocks were.
      constants: { A_COPIES: 2, B_COPIES: 2, PREFETCH: true, BUFFERS: 2, STAGED: 2 },
    });
  });

  it('has one buffer where there is no more memory, and without prefetch', () => {
    const { workgroupBytes, constants } = copiesOn(device(unit(16, 16, 16), 32, 28672))!;
    expect(constants).toMatchObject({ PREFETCH: true, BUFFERS: 1 });
    expect(workgroupBytes).toBeLessThanOrEqual(28672);
    expect(copiesOn(device(unit(16, 16, 16), 32, 49152), large, { mostRegisters: 0 })).toMatchObject({
      workgroupBytes: 2 * 128 * 40 * 2,
      constants: { PREFETCH: false, BUFFERS: 1, STAGED: 1 },
    });
  });

  it('loads ahead of the products only what registers hold beside their sums', () => {
    const gpu = device(unit(16, 16, 16), 32, 49152);
    const isAhead = (mostRegisters: number, aBytes: number) =>
      copiesOn(gpu, large, { mostRegisters, aBytes })!.constants['PREFETCH'];
    // Of an invocation: two pieces of each operand, of four registers in f16 and eight in f32.
    expect(isAhead(16, 2)).toBe(true);
    expect(isAhead(15, 2)).toBe(false);
    expect(isAhead(24, 4)).toBe(true);
    expect(isAhead(23, 4)).toBe(false);
  });

  it('leaves units that are no multiples of eight to copies by four', () => {
    expect(copiesOn(device(unit(16, 16, 4), 32, 49152))).toBeUndefined();
  });

  it('takes no more memory than the device has, and shares every piece out', () => {
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
          for (const limit of [4096, 16384, 32768, 49152]) {
            const gpu = device(config, lanes, limit);
            const tiling = matrixTiling(output, gpu);
            if (!tiling) continue;
            for (const mostRegisters of [0, Infinity]) {
              const operands = { ...halves, mostRegisters };
              const { constants, workgroupBytes } = octetCopies(tiling, gpu, operands)!;
              const { A_COPIES, B_COPIES, BUFFERS, STAGED } = constants as Record<string, number>;
              const { rows, columns, kTile, invocations, down } = tiling;
              expect(workgroupBytes).toBeLessThanOrEqual(limit);
              expect(workgroupBytes % 16).toBe(0);
              for (const [copies, extent] of [
                [A_COPIES!, rows],
                [B_COPIES!, columns],
              ] as const) {
                expect(8 * copies * invocations).toBeGreaterThanOrEqual(extent * kTile);
                expect(8 * (copies - 1) * invocations).toBeLessThan(extent * kTile);
              }
              expect(workgroupBytes).toBeGreaterThanOrEqual(2 * BUFFERS! * kTile * (rows + columns));
              expect(down % STAGED!).toBe(0);
            }
          }
        }
      }
    }
  });
});

describe('copies by eights', () => {
  const paper = paperRuntime({ adapter: { features: ['shader-f16'] } });
  const half = (...shape: number[]) => paper.empty(shape, 'f16');
  const single = (...shape: number[]) => paper.empty(shape);
  const copies = (a: GpuArray, b: GpuArray) =>
    planMatmul({ a, b, out: single(a.shape.at(-2)!, b.shape.at(-1)!) }).copiesOctets;

  it('are for rows of eights, where one operand at least is of f16', () => {
    expect(copies(half(12, 16), half(16, 24))).toBe(true);
    expect(copies(single(12, 16), half(16, 24))).toBe(true);
    expect(copies(half(12, 16), single(16, 24))).toBe(true);
    expect(copies(single(12, 16), single(16, 24))).toBe(false);
    expect(copies(half(12, 12), half(12, 24))).toBe(false);
    expect(copies(half(12, 16), half(16, 20))).toBe(false);
  });

  it('need rows that start at multiples of eight', () => {
    expect(copies(half(12, 32).slice(1, 8, 24), half(16, 24))).toBe(true);
    expect(copies(half(12, 32).slice(1, 4, 20), half(16, 24))).toBe(false);
    expect(copies(half(12, 28).slice(1, 0, 16), half(16, 24))).toBe(false);
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer } from '@tubelet/mae-dfer';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { buildWorkload } from '../model/workload.js';
import { UsageError } from '../shared/program.js';
import { expectModels } from './command.js';
import { devices, knownDevice, type DeviceCeilings } from './devices.js';
import { expectStep } from './expectation.js';
import {
  dispatchSeconds,
  EXPECTED,
  JAVASCRIPT_SECONDS,
  READ_SECONDS,
  ROOFLINE,
  stepSeconds,
} from './expected-time.js';
import { assumptionLines, expectedSpeedPage, formatCosts, formatMeasured, formatTimes } from './report.js';
import { stepCosts, type DispatchCost } from './step-costs.js';

const small = lgiFormer('tiny', { frames: 4, imageSize: 32, dim: 64, depth: 1, heads: 1, region: [1, 1, 2] });

const device: DeviceCeilings = {
  name: 'round numbers',
  matches: /round/,
  f32FlopsPerSecond: 1e12,
  matrixFlopsPerSecond: 1e13,
  bytesPerSecond: 1e11,
  computeUnits: 10,
  dispatchSeconds: 1e-6,
  source: 'nobody',
};

const product = (macs: number, bytes: number, workgroups = 10): DispatchCost => ({
  kernel: 'matmul',
  cost: { macs, flops: 0, bytesRead: bytes, bytesWritten: 0 },
  workgroups,
});

describe('the costs of a step on paper', () => {
  it('are those of a real step', async () => {
    const runtime = await openNodeRuntime();
    const engine = new Engine(runtime);
    const workload = buildWorkload(engine, small, { task: 'finetune', batchSize: 2 });
    await engine.step(() => void workload.record('step'));
    const { macs } = runtime.ledger.total();
    closeNodeRuntime(runtime);
    const costs = await stepCosts(small, { task: 'finetune', batchSize: 2 });
    let onPaper = 0;
    for (const { cost } of costs.dispatches) onPaper += cost.macs;
    expect(onPaper).toBe(macs);
    expect(costs.peakBytes).toBeGreaterThan(16 * workload.parameterCount);
  });

  it('grow with the batch, but for those of the optimiser', async () => {
    const [one, two, four] = await Promise.all(
      [1, 2, 4].map((batchSize) => stepCosts(small, { task: 'pretrain', batchSize })),
    );
    expect(two!.flops).toBeGreaterThan(one!.flops);
    expect((four!.flops - two!.flops) / (two!.flops - one!.flops)).toBeCloseTo(2, 1);
    for (const { bytes, unfusedBytes } of [one!, two!, four!]) {
      expect(bytes / unfusedBytes).toBeGreaterThan(0.5);
      expect(bytes / unfusedBytes).toBeLessThan(2);
    }
  });
});

describe('the time of a dispatch', () => {
  it('is that of the slower of arithmetic and memory', () => {
    expect(dispatchSeconds(product(5e8, 1), device, ROOFLINE)).toBeCloseTo(1e-3);
    expect(dispatchSeconds(product(1, 1e8), device, ROOFLINE)).toBeCloseTo(1e-3);
  });

  it('has matrix units for products of f16, where there are some', () => {
    expect(dispatchSeconds(product(5e8, 1), device, ROOFLINE, 'f16')).toBeCloseTo(1e-4);
    const without = { ...device, matrixFlopsPerSecond: undefined };
    expect(dispatchSeconds(product(5e8, 1), without, ROOFLINE, 'f16')).toBeCloseTo(1e-3);
    const other = { ...product(0, 1), cost: { macs: 0, flops: 1e9, bytesRead: 0, bytesWritten: 0 } };
    expect(dispatchSeconds(other, device, ROOFLINE, 'f16')).toBeCloseTo(1e-3);
  });

  it('has matrix units wait for their operands to be rounded', () => {
    const fast = { ...device, matrixFlopsPerSecond: 1e15 };
    const seconds = dispatchSeconds(product(5e9, 1), fast, EXPECTED, 'f16');
    expect(seconds).toBeCloseTo(1e10 / (EXPECTED.rounded.product * 1e12) + fast.dispatchSeconds, 5);
    expect(dispatchSeconds(product(5e9, 1), device, EXPECTED, 'f16')).toBeGreaterThan(1e10 / 1e13);
  });

  it('counts idle units of the last round, and the way to the next dispatch', () => {
    const full = dispatchSeconds(product(5e9, 1, 10), device, EXPECTED);
    expect(dispatchSeconds(product(5e9, 1, 5), device, EXPECTED)).toBeCloseTo(2 * full, 4);
    expect(dispatchSeconds(product(5e9, 1, 11), device, EXPECTED)).toBeCloseTo((20 / 11) * full, 4);
    expect(dispatchSeconds(product(1, 1), device, EXPECTED)).toBeCloseTo(device.dispatchSeconds, 8);
  });
});

describe('the time of a step', () => {
  it('is at least that of JavaScript', () => {
    const dispatches = Array.from({ length: 100 }, () => product(1, 1));
    const gpuIsQuick = { ...device, dispatchSeconds: 0 };
    expect(stepSeconds({ dispatches }, gpuIsQuick, EXPECTED)).toBeCloseTo(
      100 * JAVASCRIPT_SECONDS + READ_SECONDS,
    );
  });

  it('is never below the roofline, and longer with caution', async () => {
    const run = { task: 'finetune', batchSize: 1 } as const;
    const costs = {
      f32: await stepCosts(small, run),
      f16: await stepCosts(small, run, { precision: 'f16' }),
    };
    const { times } = expectStep({ model: 'tiny', task: 'finetune', batchSize: 1 }, costs);
    expect(new Set(times.map((time) => time.device))).toEqual(new Set(devices.map(({ name }) => name)));
    for (const { rooflineSeconds, expectedSeconds, cautiousSeconds } of times) {
      expect(rooflineSeconds).toBeLessThan(expectedSeconds);
      expect(expectedSeconds).toBeLessThanOrEqual(cautiousSeconds);
    }
  });
});

describe('the report', () => {
  const costs = {
    dispatches: [product(5e9, 1e9)],
    flops: 1e10,
    bytes: 1e9,
    unfusedBytes: 8e8,
    peakBytes: 2e9,
  };
  const half = { ...costs, bytes: 6e8, peakBytes: 1.5e9 };
  const of = { model: 'base', task: 'pretrain', batchSize: 8 } as const;
  const step = expectStep(of, { f32: costs, f16: half }, [device]);

  it('shows costs, times and what was measured', () => {
    expect(formatCosts([step])).toMatch(
      /base +pretrain +8 +1 +10 +1\.00 +1\.25× +2\.00 +0\.60 +0\.60× +1\.50/,
    );
    expect(formatTimes([step], 'f32')).toMatch(/round numbers\nbase +pretrain +8 +18\.2 \(10\.0–/);
    expect(formatTimes([step], 'f16')).toMatch(/base +pretrain +8 +13\.6 \(10\.0–/);
    const table = formatMeasured([{ ...step, measuredSeconds: 0.02 }, step], 'round numbers', 'f32');
    expect(table.split('\n')).toHaveLength(2);
    const inHalf = formatMeasured([{ ...step, measuredSeconds: 0.02 }], 'round numbers', 'f16');
    expect(inHalf).toMatch(/base +pretrain +8 +20\.0 +13\.6 \(/);
    expect(table).toMatch(/base +pretrain +8 +20\.0 +18\.2 \(.*1\.10× +50 %/);
  });

  it('makes a page with the assumptions and where the ceilings are from', async () => {
    const page = await expectedSpeedPage([step], devices);
    for (const line of assumptionLines()) expect(page).toContain(line);
    for (const { source } of devices) expect(page).toContain(source);
  });

  it('leaves the file of a page as it is where there is no prettier', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tubelet-expect-'));
    vi.doMock('prettier', () => {
      throw new Error('not installed');
    });
    onTestFinished(() => {
      vi.doUnmock('prettier');
      rmSync(folder, { recursive: true });
    });
    const page = join(folder, 'page.md');
    writeFileSync(page, 'as it was');
    const nothing = { models: [], tasks: [], batchSizes: [], steps: 1, precision: 'f32' } as const;
    await expect(expectModels({ ...nothing, page })).rejects.toThrow(UsageError);
    expect(readFileSync(page, 'utf8')).toBe('as it was');
  });
});

describe('knownDevice', () => {
  it.each([
    ['NVIDIA H100 80GB HBM3', 'H100 SXM'],
    ['NVIDIA H100 PCIe', 'H100 PCIe'],
    ['NVIDIA H200', 'H200 SXM'],
    ['NVIDIA H200 NVL', undefined],
    ['NVIDIA GH200 480GB', undefined],
    ['NVIDIA GeForce RTX 4060 Laptop GPU', 'RTX 4060 Laptop'],
    ['Intel(R) Arc(TM) 140V GPU (16GB)', 'Arc 140V'],
    ['Apple M2', 'Apple M2'],
    ['Apple M2 Max', undefined],
    ['llvmpipe (LLVM 19.1.7, 256 bits)', undefined],
  ])('%s', (text, name) => {
    expect(knownDevice({ device: '', description: text })?.name).toBe(name);
    // As Dawn writes it.
    const device = text.toLowerCase().replace(/[^a-z0-9]/g, '-');
    expect(knownDevice({ device, description: 'NVIDIA: 580.95.05 580.95.5.0' })?.name).toBe(name);
  });
});

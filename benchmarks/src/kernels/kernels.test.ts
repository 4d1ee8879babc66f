import type { Runtime } from '@tubelet/kernels';
import { defineKernel, kernelCatalogue, type KernelSpec } from '@tubelet/kernels/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { median } from './batch-timer.js';
import { benchmarksOf } from '../shared/beside.js';
import { compareKernels, formatComparisons } from './beside.js';
import { measureCase } from './measure-case.js';
import { formatRows, toRow } from './report.js';
import { FMA_PER_STEP, runCopy, runFma } from './roofline.js';

const options = { rounds: 1, batchMs: 0, referenceMacs: 1e6 };
const gelu = kernelCatalogue.find(({ name }) => name === 'gelu')!;
const layerNorm = kernelCatalogue.find(({ name }) => name === 'layer-norm')!;
const tinyCase = (spec: KernelSpec) => spec.cases.find(({ kind }) => kind === 'tiny')!;

describe('bench:kernels', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openNodeRuntime();
  });
  afterAll(() => closeNodeRuntime(runtime));

  it('has model cases to time for most kernels of the catalogue, under names of their own', () => {
    const names = kernelCatalogue.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(
      kernelCatalogue.filter(({ cases }) => cases.some(({ kind }) => kind === 'model')).length,
    ).toBeGreaterThan(names.length / 2);
  });

  it('checks every variant against float64', async () => {
    const rows = await measureCase(runtime, layerNorm, tinyCase(layerNorm), options);
    expect(rows.length).toBeGreaterThan(1);
    expect(new Set(rows.map(({ variant }) => variant)).size).toBe(rows.length);
    for (const { check } of rows) expect(check).toMatchObject({ against: 'float64', passed: true });
    expect(runtime.forcedVariants.size).toBe(0);
  });

  it('checks variants against the first one where the reference costs too much', async () => {
    const rows = await measureCase(runtime, layerNorm, tinyCase(layerNorm), {
      ...options,
      referenceMacs: -1,
    });
    expect(rows.map(({ check }) => check.against)).toEqual([
      'none',
      ...rows.slice(1).map(() => rows[0]!.variant),
    ]);
    expect(rows.every(({ check }) => check.passed)).toBe(true);
  });

  it('finds a wrong result', async () => {
    const wrong = defineKernel({
      ...gelu,
      reference: (shape: unknown, inputs) => ({
        y: gelu.reference(shape, inputs).y!.map((value) => value + 1),
      }),
    });
    const [measured] = await measureCase(runtime, wrong, tinyCase(gelu), options);
    expect(measured!.check.passed).toBe(false);
    const row = toRow(measured!, { gigaflopsPerSecond: 1, gigabytesPerSecond: 1 });
    expect(formatRows([row])).toContain('WRONG');
  });

  it('places a kernel under the roofline by its slower resource', () => {
    const measurement = {
      kernel: 'k',
      case: 'c',
      variant: 'v',
      seconds: 2,
      batchSeconds: [2],
      repetitions: 1,
      cost: { macs: 1e9, flops: 0, bytesRead: 3e9, bytesWritten: 1e9 },
      check: { against: 'none', error: 0, tolerance: 0, passed: true },
    };
    expect(toRow(measurement, { gigaflopsPerSecond: 2, gigabytesPerSecond: 10 })).toMatchObject({
      bound: 'arithmetic',
      rooflineShare: 0.5,
      gigaflopsPerSecond: 1,
      gigabytesPerSecond: 2,
    });
    expect(toRow(measurement, { gigaflopsPerSecond: 100, gigabytesPerSecond: 4 })).toMatchObject({
      bound: 'memory',
      rooflineShare: 0.5,
    });
  });

  it.each([true, false])('multiplies and adds as often as it claims (fma: %s)', async (useFma) => {
    await runtime.scope(async () => {
      const steps = 3;
      const results = runtime.empty([128]);
      runtime.ledger.reset();
      // x + 1, four times a step, in three chains of four components.
      runFma(runtime, runtime.upload(new Float32Array([1, 1]), [2]), results, { steps, useFma });
      const start = (id: number) => 12 * (id / 1024) + 3 * 1.5 + 4 * (0 + 1 + 2);
      const values = await runtime.read(results);
      expect([...values]).toEqual(Array.from({ length: 128 }, (_, id) => start(id) + 12 * 4 * steps));
      expect(runtime.ledger.total().macs).toBe(128 * steps * FMA_PER_STEP);
    });
  });

  it('copies every element', async () => {
    await runtime.scope(async () => {
      const values = Float32Array.from({ length: 4 * 300 }, (_, i) => i);
      const copied = runtime.empty([values.length]);
      runCopy(runtime, runtime.upload(values, [values.length]), copied);
      expect(await runtime.read(copied)).toEqual(values);
    });
  });

  it('pairs batches with those that another checkout took next to them', () => {
    const row = (name: string, batchSeconds: number[]) =>
      toRow(
        {
          ...{
            kernel: 'k',
            case: name,
            variant: 'v',
            seconds: median(batchSeconds),
            batchSeconds,
            repetitions: 1,
          },
          cost: { macs: 1, flops: 0, bytesRead: 1, bytesWritten: 1 },
          check: { against: 'none', error: 0, tolerance: 0, passed: true },
        },
        { gigaflopsPerSecond: 1, gigabytesPerSecond: 1 },
      );
    // The machine was slow in the second batch of both.
    const here = [row('same', [2, 9, 2]), row('only here', [1])];
    const there = [row('same', [1, 8, 4]), row('only there', [1])];
    const result = compareKernels(here, there);
    expect(result).toMatchObject({
      comparisons: [{ kernel: 'k', case: 'same', ratio: 9 / 8 }],
      haveSameCases: false,
    });
    expect(formatComparisons(result)).toMatch(/1\.125×\n1 of 1 cases .*\n.* not the same cases/);
    expect(compareKernels(here, here).haveSameCases).toBe(true);
  });

  it('of a command that is no checkout’s refuses to be compared with one, and says where it can be', () => {
    expect(() => benchmarksOf('../other', 'kernels')).toThrow(
      /`npm run bench:kernels -- --beside \.\.\/other`/,
    );
  });

  it('times what the dispatcher chooses, forcing nothing', async () => {
    const names: (string | undefined)[] = [];
    const spied = defineKernel({
      ...gelu,
      run: (...[used, ...others]: Parameters<KernelSpec['run']>) => {
        names.push(used.forcedVariants.get('gelu'));
        gelu.run(used, ...others);
      },
    });
    const rows = await measureCase(runtime, spied, tinyCase(gelu), { ...options, chosen: true });
    expect(rows.map(({ variant }) => variant)).toEqual(['chosen']);
    expect(new Set(names)).toEqual(new Set([undefined]));
  });

  it('takes the median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });
});

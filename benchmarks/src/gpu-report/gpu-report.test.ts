import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { kernelCatalogue } from '@tubelet/kernels/lab';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { KernelRow } from '../kernels/report.js';
import { Budget, CannotError } from './budget.js';
import { checkVariants } from './check-variants.js';
import { slugOf } from './machine.js';
import { ratiosOf, reportJson, reportPage } from './page.js';
import { Pytorch } from './pytorch.js';
import { isSound, type GpuReport, type StepRow } from './report.js';
import { fullScope, shortScope } from './scope.js';
import { runSpeed } from './training-run.js';

const finetuning = { model: 'base', task: 'finetune', clips: 32 } as const;
const steps: readonly StepRow[] = [
  { ...finetuning, form: 'f32', seconds: 0.4, peakBytes: 20e9 },
  { ...finetuning, form: 'f16', seconds: 0.16, peakBytes: 12e9 },
  { ...finetuning, form: 'PyTorch, bf16', seconds: 0.08, peakBytes: 9e9, oursOverThis: 2.05 },
  { ...finetuning, form: 'PyTorch, TF32', seconds: 0.1, oursOverThis: 3.9 },
  { ...finetuning, model: 'vit-base', form: 'f16', seconds: 0.32 },
];

const product: KernelRow = {
  ...{ kernel: 'matmul', case: '4096 × 4096 × 4096', variant: 'matrix-units', seconds: 1.268e-3 },
  ...{
    batchSeconds: [1.268e-3],
    repetitions: 10,
    cost: { macs: 2 ** 36, flops: 0, bytesRead: 0, bytesWritten: 0 },
  },
  ...{ gigaflopsPerSecond: 108_390, gigabytesPerSecond: 158.7, rooflineShare: 1.68, bound: 'arithmetic' },
  check: { against: 'outer', error: 1e-6, tolerance: 4e-5, passed: true },
};

const report: GpuReport = {
  machine: {
    adapter: {
      ...{
        vendor: 'nvidia',
        architecture: 'hopper',
        device: 'nvidia-h100',
        description: 'NVIDIA: 580',
        isSoftware: false,
      },
      ...{ subgroupMinSize: 32, subgroupMaxSize: 32, features: [] },
    },
    ...{
      slug: 'h100',
      driver: 'driver_version 580.1',
      clocks: 'clocks sm 1980 MHz',
      commit: 'abc',
      isModified: true,
    },
    ...{ date: '2026-11-29', node: 'v20', dawn: '0.6.2', platform: 'linux x64', cores: 16 },
  },
  ...{ isShort: false, seconds: 321.4 },
  checks: [{ kernel: 'gelu', variant: 'plain', cases: 3, worst: 0.5, wrong: [] }],
  pytorch: {
    ...{ torch: '2.14', cuda: '13.0', device: 'NVIDIA H100' },
    agreement: { compared: 160, worst: { what: 'loss', error: 2e-6, bound: 5e-6 }, wrong: [] },
  },
  ...{ steps, profiles: { 'base, f16': 'matmul 1 ms' } },
  roofline: { gigaflopsPerSecond: 64_400, gigabytesPerSecond: 2750 },
  kernels: [product],
  loaders: [
    {
      ...{ name: 'ffmpeg', source: 'mp4', decoder: 'x', clips: 9, seconds: 3, waited: 0.1 },
      ...{ clipsPerSecond: 31.25, roundClipsPerSecond: [31.25] },
    },
  ],
  run: {
    ...{ command: 'tubelet pretrain FOLDER', precision: 'f16', clips: 32, steps: 60 },
    ...{ clipsPerSecond: 250, waitedForData: 0.25 },
  },
  ablations: [{ toggles: ['one', 'two'], precision: 'f16', seconds: 0.05, overNone: 0.981 }],
  leftOut: ['steps: base, pretrain, 32 clips: no time was left'],
  failed: [],
};

const cellsOf = (page: string, ...words: string[]) => {
  const line = page
    .split('\n')
    .find((text) => text.startsWith('|') && words.every((word) => text.includes(word)));
  return line
    ?.split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
};

it('writes the page of a report, ratios first, in the form that the repository’s files have', async () => {
  const page = await reportPage(report);
  const headings = page.split('\n').filter((line) => line.startsWith('#'));
  expect(headings).toEqual([
    '# nvidia-h100 (NVIDIA: 580), 2026-11-29',
    ...['## Ratios', '## Steps', '## Kernels', '## Clips', '## Toggles of Dawn', '## Checks'],
    ...['## A step by kernel: base, f16', '## Left out'],
  ]);
  expect(page).toContain(
    '(driver_version 580.1), through Dawn (`webgpu` 0.6.2, Node v20, linux x64, 16 processor cores)',
  );
  expect(page).toContain(
    'Tubelet at abc, with changes, 2026-11-29. A loop of multiply–adds reached 64.4 TFLOP/s',
  );
  expect(page).toContain(
    'a large copy 2.75 TB/s. Beside it PyTorch 2.14 (CUDA 13.0) on NVIDIA H100. At work: clocks',
  );
  expect(cellsOf(page, 'f16 over PyTorch, bf16')).toEqual([
    'f16 over PyTorch, bf16',
    'base, finetune, 32 clips',
    '2.05×',
  ]);
  expect(cellsOf(page, 'base', '400.0')).toEqual([
    'base',
    'finetune',
    '32',
    '400.0',
    '160.0',
    '100.0',
    '80.00',
  ]);
  expect(cellsOf(page, 'vit-base', '320.0')).toEqual(['vit-base', 'finetune', '32', '–', '320.0', '–', '–']);
  expect(cellsOf(page, 'base', '80.0', '320')).toEqual([
    'base',
    'finetune',
    '32',
    '80.0',
    '200',
    '320',
    '400',
  ]);
  expect(cellsOf(page, '20.00', '12.00')).toEqual(['base', 'finetune', '32', '20.00', '12.00', '–', '9.00']);
  expect(cellsOf(page, '4096')!.slice(2)).toEqual([
    'matrix-units',
    '1268.0',
    '108.4',
    '159',
    '168 %',
    'arithmetic',
  ]);
  expect(cellsOf(page, 'ffmpeg')).toEqual(['loader, mp4, ffmpeg', '31.3']);
  expect(cellsOf(page, 'a run in f16')).toEqual(['a run in f16, 32 clips a step', '250.0']);
  expect(cellsOf(page, 'waiting for clips', 'a run')!.at(-1)).toBe('25 %');
  expect(cellsOf(page, 'one, two')).toEqual(['one, two', 'f16', '50.00', '0.981×']);
  expect(cellsOf(page, 'gelu')).toEqual(['gelu', 'plain', '3', '0.50', 'passed']);
  expect(page).toContain('- steps: base, pretrain, 32 clips: no time was left');
  expect(JSON.parse(await reportJson(report))).toEqual(report);
});

it('leaves out what was not measured, and says first what was wrong', async () => {
  const wrong = ['primes: off by 1.0e-1, tolerance 1e-5'];
  const bad = {
    ...{
      ...report,
      roofline: undefined,
      pytorch: undefined,
      run: undefined,
      steps: [],
      kernels: [],
      loaders: [],
    },
    ...{ ablations: [], profiles: {}, leftOut: [], isShort: true },
    checks: [{ kernel: 'gelu', variant: 'plain', cases: 3, worst: 1e4, wrong }],
  } as unknown as GpuReport;
  const page = await reportPage(bad);
  expect(page).toContain(
    '**Something was wrong:**\n\n- gelu, plain: primes: off by 1.0e-1, tolerance 1e-5\n\n## Ratios',
  );
  expect(page.split('\n').filter((line) => line.startsWith('## '))).toEqual(['## Ratios', '## Checks']);
  expect(page).toContain('in short form, which says nothing of speed');
  expect(isSound(bad)).toBe(false);
  expect(isSound(report)).toBe(true);
  expect(isSound({ ...report, failed: ['steps: device lost'] })).toBe(false);
  const unlike = { ...product, check: { ...product.check, passed: false } };
  expect(isSound({ ...report, kernels: [unlike] })).toBe(false);
  expect(
    isSound({
      ...report,
      pytorch: { ...report.pytorch!, agreement: { ...report.pytorch!.agreement, wrong: ['loss'] } },
    }),
  ).toBe(false);
});

it('compares steps of one kind only', () => {
  expect(ratiosOf(steps).map(({ of, what, ratio }) => `${of} | ${what} | ${ratio.toFixed(2)}`)).toEqual([
    'f16 over PyTorch, bf16 | base, finetune, 32 clips | 2.05',
    'f32 over PyTorch, TF32 | base, finetune, 32 clips | 3.90',
    'f16 over f32 | base, finetune, 32 clips | 0.40',
    'base over vit-base | finetune, 32 clips, f16 | 0.50',
  ]);
  // Where there is no f16, bf16 took turns with f32.
  const [exact, , half] = steps as [StepRow, StepRow, StepRow];
  expect(ratiosOf([exact, half])[0]!.of).toBe('f32 over PyTorch, bf16');
});

it('deals out its time, and names what it leaves out', () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  let now = 0;
  const budget = new Budget(100, () => 1000 * now);
  const half = budget.part('first', 0.5);
  expect(half.left).toBe(50);
  now = 45;
  expect(half.allows('small', 4)).toBe(true);
  expect(half.allows('large', 10)).toBe(false);
  now = 80;
  expect(half.allows('anything')).toBe(false);
  // No part gets more than is left.
  expect(budget.part('second', 0.5).left).toBeCloseTo(20);
  expect(budget.leftOut).toEqual(['first: large: no time was left', 'first: anything: no time was left']);
  vi.restoreAllMocks();
});

it('goes on after a failure, and tells it from what cannot be', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const budget = new Budget(100);
  const part = budget.part('steps', 1);
  const fail = (error: Error) => async () => {
    throw error;
  };
  expect(await part.attempt('one', async () => 1)).toBe(1);
  expect(await part.attempt('two', fail(new Error('device lost')))).toBeUndefined();
  expect(await part.attempt('three', fail(new CannotError('no f16')))).toBeUndefined();
  expect(budget).toMatchObject({ failed: ['steps: two: device lost'], leftOut: ['steps: three: no f16'] });
  vi.restoreAllMocks();
});

it('reads the speed of a run from its log, the second half of its steps', () => {
  const step = (durationMs: number, dataWaitMs: number) =>
    JSON.stringify({ type: 'step', durationMs, dataWaitMs });
  const log = [
    JSON.stringify({ type: 'start' }),
    step(9000, 50),
    step(9000, 50),
    step(100, 20),
    step(300, 60),
    '',
  ];
  expect(runSpeed(log.join('\n'), 8)).toEqual({ steps: 4, clipsPerSecond: 40, waitedForData: 0.2 });
  expect(() => runSpeed('', 8)).toThrow('its log holds no step');
});

it('says why there is no PyTorch', async () => {
  await expect(Pytorch.open('/nowhere/python', () => 60)).rejects.toThrow(
    /^\/nowhere\/python with PyTorch: spawn .*ENOENT/,
  );
});

it('waits for PyTorch no longer than there is time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-python-'));
  const python = join(folder, 'python');
  writeFileSync(python, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
  try {
    await expect(Pytorch.open(python, () => 0)).rejects.toThrow('python with PyTorch: no answer within 1 s');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('checks variants against float64, and finds one that is wrong', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const runtime = await openNodeRuntime();
  try {
    const gelu = kernelCatalogue.find(({ name }) => name === 'gelu')!;
    const part = () => new Budget(1000).part('checks', 1);
    const checked = { operations: 1e5, cases: Infinity };
    const [good] = await checkVariants(runtime, [gelu], checked, part());
    expect(good).toMatchObject({ kernel: 'gelu', wrong: [] });
    expect(good!.cases).toBeGreaterThan(0);
    expect(good!.worst).toBeLessThan(1);
    const reference: typeof gelu.reference = (shape, inputs) => {
      const right = gelu.reference(shape, inputs);
      return Object.fromEntries(
        Object.entries(right).map(([name, values]) => [name, values.map((v) => v + 1)]),
      );
    };
    const [bad] = await checkVariants(runtime, [{ ...gelu, reference }], checked, part());
    expect(bad!.wrong).toHaveLength(bad!.cases);
    expect(bad!.wrong[0]).toMatch(/: off by .*, tolerance /);
    const [one] = await checkVariants(runtime, [gelu], { ...checked, cases: 1 }, part());
    expect(one).toMatchObject({ cases: 1, wrong: [] });
    expect(good!.cases).toBeGreaterThan(1);
  } finally {
    closeNodeRuntime(runtime);
    vi.restoreAllMocks();
  }
});

it('has cases for what it times and names for files', () => {
  const [large, half, ...cases] = fullScope.timed(kernelCatalogue);
  expect(large).toMatchObject({
    spec: { name: 'matmul' },
    testCase: { shape: { m: 4096, n: 4096, k: 4096 } },
  });
  expect(half!.testCase.shape).toMatchObject({ m: 4096, halves: ['a', 'b', 'out'] });
  expect(cases.length).toBeGreaterThan(40);
  expect(shortScope.timed(kernelCatalogue).every(({ testCase }) => testCase.kind === 'tiny')).toBe(true);
  expect(slugOf('NVIDIA H100 80GB HBM3')).toBe('nvidia-h100-80gb-hbm3');
});

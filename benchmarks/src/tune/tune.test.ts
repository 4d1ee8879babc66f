import type { Runtime } from '@tubelet/kernels';
import {
  defineKernel,
  type KernelSpec,
  shapeClass,
  type TunableKernel,
  tunableKernels,
} from '@tubelet/kernels/lab';
import { closeNodeRuntime, openNodeRuntime, readTuningTable, tuningFile } from '@tubelet/kernels/node';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Measurement } from '../kernels/measure-case.js';
import { UsageError } from '../shared/program.js';
import { compareVariants, fasterVariant } from './choose.js';
import { tuneDevice } from './program.js';
import { formatTuned } from './report.js';

function measured(variant: string, batchSeconds: readonly number[], passed = true): Measurement {
  return {
    kernel: 'k',
    case: 'c',
    variant,
    seconds: batchSeconds[0]!,
    batchSeconds,
    repetitions: 1,
    cost: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 },
    check: { against: 'float64', error: 0, tolerance: 1, passed },
  };
}

describe('the choice between variants', () => {
  const shipped = measured('shipped', [10, 12, 10, 8]);
  const chosen = (...others: Measurement[]) =>
    fasterVariant(compareVariants([[shipped, ...others]]))?.variant;

  it('is the fastest of those that are faster than the shipped one, batch by batch', () => {
    expect(chosen(measured('half', [5, 6, 5, 4]), measured('third', [3, 4, 3, 3]))).toBe('third');
    expect(compareVariants([[shipped, measured('half', [5, 6, 5, 4])]])).toEqual([
      { variant: 'half', ratio: 0.5, upperQuartile: 0.5, isRight: true },
    ]);
  });

  it('stays with the shipped one where another is not faster by more than the noise', () => {
    expect(chosen(measured('same', [10, 12, 10, 8]))).toBeUndefined();
    expect(chosen(measured('a little', [9.8, 11.8, 9.8, 7.8]))).toBeUndefined();
    expect(chosen(measured('half of the time', [5, 13, 5, 9]))).toBeUndefined();
    expect(chosen(measured('slower', [11, 13, 12, 9]))).toBeUndefined();
    expect(chosen()).toBeUndefined();
  });

  it('is never a variant with wrong results', () =>
    expect(chosen(measured('wrong', [1, 1, 1, 1], false))).toBeUndefined());

  it('goes by all cases of a class together', () => {
    const cases = (second: number) => [
      [shipped, measured('other', [5, 6, 5, 4])],
      [
        shipped,
        measured(
          'other',
          [10, 12, 10, 8].map((seconds) => second * seconds),
        ),
      ],
    ];
    expect(fasterVariant(compareVariants(cases(2)))).toBeUndefined();
    expect(fasterVariant(compareVariants(cases(0.9)))?.variant).toBe('other');
  });

  it('counts the batches of a variant that was given up on', () =>
    expect(compareVariants([[shipped, measured('slow', [30])]])[0]).toMatchObject({ ratio: 3 }));

  it('lets a case that a variant was given up in count as much as one with more batches', () => {
    const faster = [shipped, measured('other', [5, 6, 5, 4])];
    expect(fasterVariant(compareVariants([faster, [shipped, measured('other', [30])]]))).toBeUndefined();
  });
});

describe('tune', () => {
  let runtime: Runtime;
  let folder: string;
  let printed: string[];
  beforeAll(async () => void (runtime = await openNodeRuntime()));
  afterAll(() => closeNodeRuntime(runtime));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tubelet-tune-'));
    printed = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A kernel whose tiny case stands for those of the models. */
  function small(name: string, change: Partial<KernelSpec> = {}): TunableKernel {
    const kernel = tunableKernels(runtime).find(({ spec }) => spec.name === name)!;
    const [tiny] = kernel.spec.cases.filter(({ kind }) => kind === 'tiny');
    const cases = [{ ...tiny!, kind: 'model' as const }];
    return { ...kernel, spec: defineKernel({ ...kernel.spec, ...change, cases }) };
  }
  const settings = () => ({
    rounds: 3,
    batchMs: 0,
    referenceMacs: 1e6,
    clips: [1],
    directory: folder,
    print: (text: string) => void printed.push(text),
  });
  const read = () => readTuningTable(runtime, folder)!;

  it('measures every class once, prints it, and leaves a table that this device takes', async () => {
    const cases: string[] = [];
    const options = {
      ...settings(),
      clips: [1, 40],
      onCase: (...names: string[]) => cases.push(names.join()),
    };
    const kernels = [small('layer-norm'), small('sum-all')];
    expect(await tuneDevice(runtime, options, kernels)).toBe(true);
    expect(cases).toEqual(['layer-norm,tiny', 'layer-norm,tiny, 40 clips', 'sum-all,tiny']);
    const { choices, digest } = read();
    expect(choices.map(({ kernel }) => kernel)).toEqual(['layer-norm', 'layer-norm', 'sum-all']);
    expect(choices[0]!.shape).toBe(shapeClass(0, 3, 5));
    expect(choices[1]!.shape).toBe(shapeClass(0, 120, 5));
    const names = kernels[0]!.variants.map(({ name }) => name);
    for (const { variant } of choices) expect(names).toContain(variant);
    const text = printed.join('\n');
    expect(text).toMatch(/layer-norm +4×8 +\w+ +\d+\.\d{3} +\w+ \d+\.\d\d/);
    expect(text).toContain(`Table ${digest} is in ${tuningFile(runtime, folder)}`);
    expect(runtime.tuning).toBeUndefined();
    expect(runtime.forcedVariants.size).toBe(0);
    const kept = JSON.parse(readFileSync(tuningFile(runtime, folder), 'utf8')) as { measured: unknown[] };
    expect(kept.measured).toHaveLength(3);
  });

  it('measures variants that are one program once', async () => {
    const kernel = small('sum-all');
    const [first] = kernel.variants;
    // Another name for the first variant.
    const run: KernelSpec['run'] = (on, ...rest) => {
      const forced = on.forcedVariants.get('sum-all');
      if (forced === 'twin') on.forcedVariants.set('sum-all', first!.name);
      kernel.spec.run(on, ...rest);
      if (forced === 'twin') on.forcedVariants.set('sum-all', forced);
    };
    const variants = [...kernel.variants, { ...first!, name: 'twin' }];
    await tuneDevice(runtime, settings(), [{ variants, spec: { ...kernel.spec, run } }]);
    expect(printed.join('\n')).toContain(kernel.variants[1]!.name);
    expect(printed.join('\n')).not.toContain('twin');
  });

  it('keeps what was measured for other kernels when only some are asked for', async () => {
    const kernels = [small('layer-norm'), small('sum-all')];
    await tuneDevice(runtime, settings(), kernels);
    const before = read().choices;
    await tuneDevice(runtime, { ...settings(), kernels: ['sum-all'] }, kernels);
    expect(read().choices.filter(({ kernel }) => kernel === 'layer-norm')).toEqual(
      before.filter(({ kernel }) => kernel === 'layer-norm'),
    );
    expect(printed.join('\n')).toContain('beside 1 of other kernels');
    writeFileSync(tuningFile(runtime, folder), '{');
    await tuneDevice(runtime, { ...settings(), kernels: ['sum-all'] }, kernels);
    expect(read().choices).toHaveLength(1);
    expect(printed.join('\n')).toMatch(/nothing can be kept: .*not JSON/);
  });

  it('says when a variant computes something wrong, and does not choose it', async () => {
    const wrong = small('sum-all', { reference: () => ({ out: Float64Array.of(1e6) }) });
    expect(await tuneDevice(runtime, settings(), [wrong])).toBe(false);
    expect(printed.join('\n')).toMatch(/WRONG results, .*: sum-all\/\w+ \(tiny\), sum-all\//);
    expect(read().choices[0]!.variant).toBe(wrong.variants[0]!.name);
  });

  it('names the kernels that it can tune', async () => {
    const asked = tuneDevice(runtime, { ...settings(), kernels: ['gelu'] });
    await expect(asked).rejects.toThrow(UsageError);
    await expect(asked).rejects.toThrow(/--kernel: "gelu" .* there are: .*matmul/);
  });

  it('has nothing to do where there is no choice', async () => {
    expect(await tuneDevice(runtime, settings(), [])).toBe(true);
    expect(printed.join('\n')).toContain('there is nothing to choose');
  });
});

it('shows shapes by the extents that matter', () => {
  const row = {
    kernel: 'k',
    shape: 0,
    cases: [],
    shipped: 's',
    shippedSeconds: 1,
    comparisons: [],
    wrong: [],
    chosen: 's',
  };
  const text = (extents: number[], form: number, kernel = 'k') =>
    formatTuned([{ ...row, kernel, extents, form }]).split('\n')[1]!;
  expect(text([1024, 1, 8, 1], 2)).toMatch(/^k +1024×1×8 form 2 /);
  expect(text([1, 1, 1, 1], 0)).toMatch(/^k +1 +s /);
  expect(text([8, 512, 512, 1], 1, 'matmul')).toMatch(/^matmul +8×512×512 NT +s /);
});

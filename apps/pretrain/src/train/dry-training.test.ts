import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { likeRuntime, OutOfMemoryError, type Runtime } from '@tubelet/kernels';
import {
  deviceOf,
  dryTraining,
  measureMemory,
  memoryOnPaper,
  memoryReportOn,
  type StepMemory,
} from '@tubelet/trainer';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TINY_MODEL, options } from '../testing/program.js';
import { trainCommand } from './train-command.js';
import { modelConfig, type TrainOptions } from './train-options.js';
import { trainable } from './train.js';

let open: Runtime | undefined;
afterEach(() => {
  if (open) closeNodeRuntime(open);
  open = undefined;
  vi.restoreAllMocks();
});

const settings = {
  ...{
    model: 'tiny',
    ablation: 'none',
    region: [2, 2, 2],
    dim: 32,
    depth: 1,
    heads: 1,
    imageSize: 32,
    frames: 4,
  },
  ...{ decoderDim: 32, decoderDepth: 1, decoderHeads: 1, decoderPositions: 'token', maskRatio: 0.5 },
  ...{ lossWeight: 0.5, seed: 0, weightDecay: 0.05, accumulate: 1 },
} as unknown as TrainOptions;
const of = (options: TrainOptions) => trainable(options, modelConfig(options));
const begin = dryTraining(of(settings));

async function onPaper(batchSize: number): Promise<StepMemory> {
  const memory = await memoryOnPaper({}, begin, batchSize);
  if (memory instanceof OutOfMemoryError) throw memory;
  return memory;
}

describe('the memory of a step', () => {
  it('is found on paper as a real step takes it', async () => {
    open = await openNodeRuntime();
    const real = await measureMemory(open, begin, 2);
    expect(await memoryOnPaper(likeRuntime(open), begin, 2)).toEqual(real);
    expect(real.activationBytes).toBeGreaterThan(0);
    // AdamW has two moments for each parameter, and small tables.
    expect(real.optimiserBytes).toBeGreaterThan(2 * real.parameterBytes);
    expect(real.optimiserBytes).toBeLessThan(2.1 * real.parameterBytes);
  });

  it('is that of the variants that were measured to be fast', async () => {
    const choose = vi.fn(() => undefined);
    open = await openNodeRuntime();
    open.tuning = { choose };
    await memoryOnPaper(deviceOf(open), begin, 2);
    expect(choose).toHaveBeenCalled();
  });

  it('grows in a straight line with the batch', async () => {
    const [a, b, c] = [await onPaper(8), await onPaper(16), await onPaper(32)];
    for (const key of ['peakBytes', 'heldBytes'] as const) {
      const expected = b[key] + 2 * (b[key] - a[key]);
      expect(Math.abs(c[key] / expected - 1)).toBeLessThan(0.05);
    }
  });

  it('is said by --dry-run, which begins nothing, with the largest batch for a budget', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const run = (words: Parameters<typeof options>[0]) =>
      trainCommand()
        .exitOverride()
        .parseAsync(['videos', ...options({ ...TINY_MODEL, out: 'no-run', ...words })], { from: 'user' });
    await run({ 'dry-run': true, 'batch-size': 4, 'memory-budget': '8MiB' });
    const text = String(said.mock.lastCall);
    for (const part of [
      'parameters',
      'gradients',
      'optimiser',
      'input',
      'activations',
      'total',
      'each more',
    ]) {
      expect(text).toMatch(new RegExp(`^${part} +.*\\d`, 'm'));
    }
    const [, largest, held] =
      /^largest +--batch-size (\d+) fits 8.00 MiB: it holds (\S+) MiB$/m.exec(text) ?? [];
    expect(Number(largest)).toBeGreaterThan(4);
    expect(Number(held)).toBeGreaterThan(7);
    await expect(run({ 'memory-budget': '8MiB' })).rejects.toThrow('--memory-budget needs --dry-run');
    await expect(run({ 'dry-run': true, gpu: 99 })).rejects.toThrow(/GPU 99|--gpu 99/);
  });

  it('falls where blocks run again, which is said beside it and lets larger batches fit', async () => {
    const memory = { batchSize: 16, memoryBudget: 48 * 2 ** 20 };
    const deep = { ...settings, ...memory, depth: 12, decoderDepth: 4 };
    const report = (options: TrainOptions) => memoryReportOn({}, 'a GPU', { options, trainable: of });
    const plain = await report(deep);
    const [, kept, again] = /^activations +(\S+) MiB; with --recompute (\S+) (?:KiB|MiB)$/m.exec(plain) ?? [];
    const [, most] = /^largest +--batch-size (\d+) fits 48.0 MiB: it holds/m.exec(plain) ?? [];
    const [, more] = /^ +with --recompute, --batch-size (\d+) fits 48.0 MiB: it holds/m.exec(plain) ?? [];
    expect(Number(kept)).toBeGreaterThan(2 * Number(again));
    expect(Number(more)).toBeGreaterThan(1.5 * Number(most));
    const recomputed = await report({ ...deep, recompute: true });
    expect(recomputed).toContain(`activations ${again} MiB; without --recompute ${kept} MiB`);
    expect(recomputed).toMatch(new RegExp(`^largest +--batch-size ${more} fits`, 'm'));
    expect(recomputed).toMatch(new RegExp(`^ +without --recompute, --batch-size ${most} fits`, 'm'));
  });

  it('tells what the GPU takes from what the budget allows', async () => {
    const limits = { maxStorageBufferBindingSize: 2 ** 18 };
    const report = (
      like: Parameters<typeof memoryReportOn>[0],
      name: string,
      memory: Partial<TrainOptions>,
    ) => memoryReportOn(like, name, { options: { ...settings, ...memory }, trainable: of });
    const text = await report({ limits }, 'a small GPU', { batchSize: 64, memoryBudget: 2 ** 30 });
    expect(text).toMatch(/a small GPU.*\nit cannot run: .* at most 256.0 KiB on this adapter/);
    expect(text).toMatch(/^largest +--batch-size \d+ fits 1.00 GiB.*\n +a larger one needs an array beyond/m);
    const none = await report({}, 'a GPU', { batchSize: 2, memoryBudget: 1000 });
    expect(none).toContain('no batch fits 1000 B');
  });
});

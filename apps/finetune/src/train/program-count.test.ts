import { paperRuntime, type AdapterSummary, type Precision } from '@tubelet/kernels';
import { dryTraining } from '@tubelet/trainer';
import { describe, expect, it } from 'vitest';
import { readTrainOptions, trainCommand } from './train-command.js';
import { configOf, trainedEncoder } from './train-settings.js';
import { trainable } from './train.js';

const software: Partial<AdapterSummary> = {
  isSoftware: true,
  subgroupMinSize: 8,
  subgroupMaxSize: 8,
  features: ['subgroups'],
};
const matrixUnits: Partial<AdapterSummary> = {
  features: ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'],
  matrixUnits: [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }],
};

const CLASSES = 7;

async function trainingOf(words: string) {
  const command = trainCommand().action(() => undefined);
  command.parse(`--data csv --root faces --fold 1 --out run ${words}`.split(' '), { from: 'user' });
  const { options, given } = readTrainOptions(command);
  return dryTraining(trainable(options, configOf(options, await trainedEncoder(options, given), CLASSES)));
}

/** Programs that two steps of each training in turn take on a device that has none yet. */
async function programsOf(
  adapter: Partial<AdapterSummary>,
  precision: Precision,
  trainings: readonly (readonly [words: string, batchSize: number])[],
): Promise<number[]> {
  const runtime = paperRuntime({ adapter, precision, reads: 'zeros' });
  const counts: number[] = [];
  for (const [words, batchSize] of trainings) {
    const before = runtime.counters.pipelinesCreated;
    const { step } = (await trainingOf(words))(runtime, batchSize);
    for (let i = 0; i < 2; i++) await step({ step: i, epoch: 0, stepInEpoch: i });
    counts.push(runtime.counters.pipelinesCreated - before);
  }
  return counts;
}

describe('programs of a fine-tuning', () => {
  it.each([
    ['a software driver', software, 'f32', { base: 40, more: 3 }],
    // Kernels that share a dispatch are one program, each set of them.
    ['a GPU', {}, 'f32', { base: 47, more: 4 }],
    // Products have programs by what their operands are stored in, for each tile.
    ['a GPU with matrix units', matrixUnits, 'f16', { base: 53, more: 9 }],
  ] as const)('are few on %s, and other batch sizes hardly add any', async (_, adapter, precision, most) => {
    const [base, largerBatch] = await programsOf(adapter, precision, [
      ['--model base', 8],
      ['--model base', 16],
    ]);
    expect(base).toBeLessThanOrEqual(most.base);
    expect(largerBatch).toBeLessThanOrEqual(most.more);
  });

  it('are those of another batch size or model size on a software driver but for five', async () => {
    const [, ...others] = await programsOf(software, 'f32', [
      ['--model base', 2],
      ['--model base', 8],
      ['--model small', 2],
      ['--model tiny', 6],
    ]);
    for (const more of others) expect(more).toBeLessThanOrEqual(5);
  });
});

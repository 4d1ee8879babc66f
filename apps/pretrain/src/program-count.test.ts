import { paperRuntime, type AdapterSummary, type Precision } from '@tubelet/kernels';
import { dryTraining } from '@tubelet/trainer';
import { describe, expect, it } from 'vitest';
import { trainCommand } from './train-command.js';
import { modelConfig, trainOptions, type TrainOptions } from './train-options.js';
import { trainable } from './train.js';

// The demonstration's model, without what concerns its clips.
const DEMO =
  '--model tiny --dim 128 --depth 4 --heads 2 --decoder-dim 128 --decoder-depth 2 --decoder-heads 2' +
  ' --image-size 96 --frames 8 --region 2,3,6 --mask-ratio 0.9';

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

function optionsOf(words: string): TrainOptions {
  const command = trainCommand().action(() => undefined);
  command.parse(['videos', '--out', 'run', ...words.split(' ')], { from: 'user' });
  return trainOptions.read(command).options;
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
    const options = optionsOf(words);
    const { step } = dryTraining(trainable(options, modelConfig(options)))(runtime, batchSize);
    for (let i = 0; i < 2; i++) await step({ step: i, epoch: 0, stepInEpoch: i });
    counts.push(runtime.counters.pipelinesCreated - before);
  }
  return counts;
}

// Three of them make frames of what decoders hand over: unpacked, resized, packed.
describe('programs of a pre-training', () => {
  it.each([
    ['a software driver', software, 'f32', { demo: 32, base: 34, more: [7, 2] }],
    // Kernels that share a dispatch are one program, each set of them.
    ['a GPU', {}, 'f32', { demo: 35, base: 43, more: [1, 1] }],
    // Products have programs by what their operands are stored in, for each tile.
    ['a GPU with matrix units', matrixUnits, 'f16', { demo: 51, base: 62, more: [17, 13] }],
  ] as const)('are few on %s, and other batch sizes hardly add any', async (_, adapter, precision, most) => {
    const [demo, largerBatch] = await programsOf(adapter, precision, [
      [DEMO, 4],
      [DEMO, 8],
    ]);
    const [base, largerBaseBatch] = await programsOf(adapter, precision, [
      ['--model base', 8],
      ['--model base', 16],
    ]);
    expect(demo).toBeLessThanOrEqual(most.demo);
    expect(base).toBeLessThanOrEqual(most.base);
    expect(largerBatch).toBeLessThanOrEqual(most.more[0]);
    expect(largerBaseBatch).toBeLessThanOrEqual(most.more[1]);
  });

  it('are those of another batch size or model size on a software driver but for five', async () => {
    const [, ...others] = await programsOf(software, 'f32', [
      ['--model base', 1],
      ['--model base', 2],
      ['--model base', 7],
      ['--model small', 1],
      ['--model tiny', 3],
    ]);
    for (const more of others) expect(more).toBeLessThanOrEqual(5);
  });
});

import { dryTraining } from '@tubelet/trainer';
import { describe, expect, it } from 'vitest';
import {
  MATRIX_UNITS,
  programsOf,
  SOFTWARE,
} from '../../../../packages/trainer/src/testing/program-count.js';
import { readTrainOptions, trainCommand } from './train-command.js';
import { configOf, trainedEncoder } from './train-settings.js';
import { trainable } from './train.js';

const CLASSES = 7;

async function trainingOf(words: string) {
  const command = trainCommand().action(() => undefined);
  command.parse(`--data csv --root faces --fold 1 --out run ${words}`.split(' '), { from: 'user' });
  const { options, given } = readTrainOptions(command);
  return dryTraining(trainable(options, configOf(options, await trainedEncoder(options, given), CLASSES)));
}

describe('programs of a fine-tuning', () => {
  it.each([
    ['a software driver', SOFTWARE, 'f32', { base: 39, more: 3 }],
    // Kernels that share a dispatch are one program, each set of them.
    ['a GPU', {}, 'f32', { base: 43, more: 0 }],
    // Products have programs by what their operands are stored in, for each tile.
    ['a GPU with matrix units', MATRIX_UNITS, 'f16', { base: 49, more: 0 }],
  ] as const)('are few on %s, and other batch sizes hardly add any', async (_, adapter, precision, most) => {
    const [base, largerBatch] = await programsOf(adapter, precision, [
      [await trainingOf('--model base'), 8],
      [await trainingOf('--model base'), 16],
    ]);
    expect(base).toBeLessThanOrEqual(most.base);
    expect(largerBatch).toBeLessThanOrEqual(most.more);
  });

  it('are those of another batch size or model size on a software driver but for five', async () => {
    const [, ...others] = await programsOf(SOFTWARE, 'f32', [
      [await trainingOf('--model base'), 2],
      [await trainingOf('--model base'), 8],
      [await trainingOf('--model small'), 2],
      [await trainingOf('--model tiny'), 6],
    ]);
    for (const more of others) expect(more).toBeLessThanOrEqual(5);
  });
});

import { dryTraining } from '@tubelet/trainer';
import { describe, expect, it } from 'vitest';
import {
  MATRIX_UNITS,
  programsOf,
  SOFTWARE,
} from '../../../../packages/trainer/src/testing/program-count.js';
import { trainCommand } from './train-command.js';
import { modelConfig, trainOptions } from './train-options.js';
import { trainable } from './train.js';

// The demonstration's model, without what concerns its clips.
const DEMO =
  '--model tiny --dim 128 --depth 4 --heads 2 --decoder-dim 128 --decoder-depth 2 --decoder-heads 2' +
  ' --image-size 96 --frames 8 --region 2,3,6 --mask-ratio 0.9';

function trainingOf(words: string) {
  const command = trainCommand().action(() => undefined);
  command.parse(['videos', '--out', 'run', ...words.split(' ')], { from: 'user' });
  const { options } = trainOptions.read(command);
  return dryTraining(trainable(options, modelConfig(options)));
}

// Three of them make frames of what decoders hand over: unpacked, resized, packed.
describe('programs of a pre-training', () => {
  it.each([
    ['a software driver', SOFTWARE, 'f32', { demo: 32, base: 34, more: [7, 2] }],
    // Kernels that share a dispatch are one program, each set of them.
    ['a GPU', {}, 'f32', { demo: 32, base: 38, more: [1, 1] }],
    // Products have programs by what their operands are stored in, for each tile.
    ['a GPU with matrix units', MATRIX_UNITS, 'f16', { demo: 43, base: 56, more: [2, 2] }],
  ] as const)('are few on %s, and other batch sizes hardly add any', async (_, adapter, precision, most) => {
    const [demo, largerBatch] = await programsOf(adapter, precision, [
      [trainingOf(DEMO), 4],
      [trainingOf(DEMO), 8],
    ]);
    const [base, largerBaseBatch] = await programsOf(adapter, precision, [
      [trainingOf('--model base'), 8],
      [trainingOf('--model base'), 16],
    ]);
    expect(demo).toBeLessThanOrEqual(most.demo);
    expect(base).toBeLessThanOrEqual(most.base);
    expect(largerBatch).toBeLessThanOrEqual(most.more[0]);
    expect(largerBaseBatch).toBeLessThanOrEqual(most.more[1]);
  });

  it('are those of another batch size or model size on a software driver but for five', async () => {
    const [, ...others] = await programsOf(SOFTWARE, 'f32', [
      [trainingOf('--model base'), 1],
      [trainingOf('--model base'), 2],
      [trainingOf('--model base'), 7],
      [trainingOf('--model small'), 1],
      [trainingOf('--model tiny'), 3],
    ]);
    for (const more of others) expect(more).toBeLessThanOrEqual(5);
  });
});

import { describe, expect, it } from 'vitest';
import { lgiFormer, paperDecoder } from '@tubelet/mae-dfer';
import { OptionError } from '@tubelet/trainer';
import { Command } from 'commander';
import { bindingSettings, modelConfig, requireFittingOptions, trainOptions } from './train-options.js';

/** The options of a command line, as the command reads them. */
function read(...words: string[]) {
  const command = trainOptions
    .addTo(new Command('train'))
    .exitOverride()
    .action(() => undefined);
  return trainOptions.read(command.parse(['--out', 'run', ...words], { from: 'user' })).options;
}

function check(...words: string[]): unknown {
  const options = read(...words);
  requireFittingOptions(options);
  return modelConfig(options);
}

describe('options of train', () => {
  it('are the settings of the paper unless given', () => {
    const model = { encoder: lgiFormer('base'), decoder: paperDecoder };
    const expected = { ...model, decoderPositions: 'token', target: 'difference' };
    expect(check()).toEqual(expected);
    expect(read()).toMatchObject({
      maskRatio: 0.9,
      lossWeight: 0.5,
      epochs: 50,
      lr: 3e-4,
      weightDecay: 0.05,
      precision: 'f32',
    });
  });

  it.each([
    ['none', true, true],
    ['local-only', false, false],
    ['no-inter-region', false, true],
    ['no-local-global', true, false],
  ])('--ablation %s', (name, interRegion, localGlobal) => {
    expect(check('--ablation', name)).toMatchObject({ encoder: { interRegion, localGlobal } });
  });

  it.each<[string[], string, string]>([
    [['--target', 'pixels', '--loss-weight', '1'], '--loss-weight', '1'],
    [['--batch-size', '0'], '--batch-size', '"0"'],
    [['--batch-size', '2.5'], '--batch-size', '"2.5"'],
    [['--mask-ratio', '1'], '--mask-ratio', '"1"'],
    [['--mask-ratio', 'most'], '--mask-ratio', '"most"'],
    [['--mask-ratio', '0.01'], '--mask-ratio', '0.01'],
    [['--model', 'huge'], '--model', '"huge"'],
    [['--lr', '0'], '--lr', '"0"'],
    [['--precision', 'f64'], '--precision', '"f64"'],
    [['--seed', '-1'], '--seed', '"-1"'],
    [['--region', '2,5'], '--region', '"2,5"'],
    [['--region', '3,5,10'], '--region', '"3,5,10"'],
    [['--image-size', '100'], '--image-size', '100'],
    [['--frames', '7'], '--frames', '7'],
    [['--dim', '33'], '--dim', '33'],
    [['--dim', '64', '--heads', '5'], '--heads', '5'],
    [['--decoder-dim', '33'], '--decoder-dim', '33'],
    [['--decoder-heads', '7'], '--decoder-heads', '7'],
    [['--epochs', '3'], '--warmup-epochs', '5'],
    [['--min-lr', '1'], '--min-lr', '1'],
    [['--start-seconds', '5', '--end-seconds', '5'], '--end-seconds', '5'],
    [['--model', 'vit-base', '--ablation', 'local-only'], '--ablation', '"local-only"'],
  ])('%j name the option and its value', (words, key, value) => {
    let error: unknown;
    try {
      check(...words);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).message).toContain(`${key}: ${value} cannot be used; expected `);
    expect((error as OptionError).exitCode).toBe(2);
  });

  it('bind a run where they decide its result, given or not', () => {
    const settings = (...words: string[]) => {
      const options = read(...words);
      return bindingSettings(options, modelConfig(options), '3 videos');
    };
    const free = ['--resume', '--keep', '9', '--workers', '1', '--stop-after', '2', '--profile', '--debug'];
    expect(settings(...free, '--recompute')).toEqual(settings());
    expect(settings('--segment-seconds', '2')).toMatchObject({ segmentSeconds: 2 });
    expect(settings()).toMatchObject({ segmentSeconds: null, dim: 512, heads: 8, videos: '3 videos' });
    expect(Object.keys(settings()).sort()).toEqual(Object.keys(settings('--end-seconds', '2')).sort());
  });
});

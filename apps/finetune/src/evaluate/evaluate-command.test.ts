import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Command } from 'commander';
import { OptionError, UserError } from '@tubelet/trainer';
import { saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import { contentOfStep } from '../../../../packages/trainer/src/testing/checkpoint-content.js';
import { temporaryFolder } from '../../../../packages/trainer/src/testing/temporary-folder.js';
import { evaluateOptions } from './evaluate-options.js';
import { evaluateCommand } from './evaluate-command.js';
import { exportCommand } from '../export/export-command.js';

const parse = (command: Command, ...args: string[]) =>
  command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseAsync(args, { from: 'user' });

describe('the command line of evaluate', () => {
  const place = ['--checkpoint', 'nowhere', '--data', 'dfew', '--root', '/data/DFEW'];

  it('has the settings of the published protocol', () => {
    const command = evaluateCommand().action(() => undefined);
    command.parse(place, { from: 'user' });
    const { clips, part, batchSize, frameStep, crop, fold } = evaluateOptions.read(command).options;
    expect({ clips, part }).toEqual({ clips: 2, part: 'test' });
    expect(batchSize).toBe(8);
    expect([frameStep, crop, fold]).toEqual([undefined, undefined, undefined]);
  });

  it('needs a checkpoint and a data set, and says what values may be given', async () => {
    await expect(parse(evaluateCommand(), '--data', 'dfew', '--root', 'x')).rejects.toThrow(/--checkpoint/);
    await expect(parse(evaluateCommand(), '--checkpoint', 'x', '--root', 'x')).rejects.toThrow(/--data/);
    for (const [option, value] of [
      ['--data', 'fer2013'],
      ['--part', 'validation'],
      ['--fold', '0'],
      ['--clips', 'two'],
      ['--batch-size', '0'],
      ['--crop', 'face'],
    ] as const) {
      const parsing = parse(evaluateCommand(), ...place, option, value);
      await expect(parsing, option).rejects.toThrow(OptionError);
      await expect(parsing, option).rejects.toThrow(`${option}: "${value}" cannot be used`);
    }
  });

  it('says that there is no such checkpoint', async () => {
    const parsing = parse(evaluateCommand(), ...place);
    await expect(parsing).rejects.toThrow(UserError);
    await expect(parsing).rejects.toThrow('there is no nowhere. Give the file of a checkpoint');
  });
});

describe('the command line of export', () => {
  it('exports and says what it wrote', async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, 'checkpoints'));
    const { tensors } = contentOfStep(3, 8);
    const weights = new Map([...tensors].filter(([, { dtype }]) => dtype === 'F32'));
    await saveCheckpoint(join(folder, 'checkpoints', 'step-00000003.safetensors'), {
      tensors: weights,
      metadata: {},
    });
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const out = join(folder, 'model.safetensors');
    await parse(exportCommand(), '--checkpoint', folder, '--out', out);
    expect(existsSync(out)).toBe(true);
    expect(log.mock.calls.flat().join('\n')).toContain('1 tensor, 8 values');
    log.mockRestore();
    await expect(parse(exportCommand(), '--checkpoint', folder)).rejects.toThrow(/--out/);
  });
});

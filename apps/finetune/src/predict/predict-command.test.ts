import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { OptionError } from '@tubelet/trainer';
import { embedOptions } from '../embed/embed-options.js';
import { predictOptions } from './predict-options.js';
import { embedCommand } from '../embed/embed-command.js';
import { predictCommand } from './predict-command.js';

/** The options that a command would run with. */
function parsed(command: Command, args: readonly string[]): Record<string, unknown> {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined);
  command.parse([...args], { from: 'user' });
  const set: Pick<typeof predictOptions, 'read'> =
    command.name() === 'predict' ? predictOptions : embedOptions;
  return set.read(command).options;
}

describe.each([
  [
    'predict',
    predictCommand,
    'checkpoint clips frame-step crop batch-size workers gpu window hop plot format out faces-out top debug help',
  ],
  [
    'embed',
    embedCommand,
    'data root classes-file fold part checkpoint clips frame-step crop batch-size workers gpu out picture neighbors ' +
      'layout min-dist perplexity seed debug help',
  ],
])('%s --help', (name, make, options) => {
  it('lists every option with its description, and examples', () => {
    const command = make();
    let text = '';
    command.configureOutput({ writeOut: (piece) => (text += piece) }).outputHelp();
    const listed = [...text.matchAll(/^ {2}(?:-h, )?--([a-z-]+)(?: <[^>]+>)?\s+\S/gm)].map(([, key]) => key);
    expect(listed.sort()).toEqual(options.split(' ').sort());
    expect(text).toContain(`\n  tubelet ${name} `);
  });

  it('shows examples that can be parsed', () => {
    let text = '';
    make()
      .configureOutput({ writeOut: (piece) => (text += piece) })
      .outputHelp();
    const examples = [...text.matchAll(/^ {2}tubelet \w+ (.*?)( \|.*)?$/gm)].map(([, line]) => line!);
    expect(examples.length).toBeGreaterThan(1);
    for (const line of examples) expect(parsed(make(), line.split(' ')).checkpoint).toMatch(/^runs\//);
  });
});

describe('the command line', () => {
  it('has values of the right kind, and none where the checkpoint decides', () => {
    const options = parsed(
      predictCommand(),
      'a.mp4 --checkpoint c --window 1.5 --hop 0.5 --top 3'.split(' '),
    );
    expect(options).toEqual({ checkpoint: 'c', window: 1.5, hop: 0.5, top: 3, batchSize: 8, debug: false });
    const embed = parsed(
      embedCommand(),
      'a.mp4 --checkpoint c --out f.csv --neighbors 5 --min-dist 0'.split(' '),
    );
    const expected = { checkpoint: 'c', clips: 2, out: 'f.csv', neighbors: 5, minDist: 0, batchSize: 8 };
    expect(embed).toEqual({ ...expected, debug: false });
  });

  it.each([
    ['--window', '0'],
    ['--hop', '-1'],
    ['--clips', '0'],
    ['--format', 'xml'],
    ['--crop', 'left'],
    ['--frame-step', '1.5'],
    ['--top', '0'],
  ])('refuses %s %s', (key, value) => {
    expect(() => parsed(predictCommand(), ['a.mp4', '--checkpoint', 'c', key, value])).toThrow(OptionError);
  });

  it('needs videos and a checkpoint', () => {
    expect(() => parsed(predictCommand(), ['--checkpoint', 'c'])).toThrow(/missing required argument/);
    expect(() => parsed(predictCommand(), ['a.mp4'])).toThrow(/--checkpoint/);
    expect(() => parsed(embedCommand(), ['a.mp4', '--checkpoint', 'c'])).toThrow(/--out/);
  });
});

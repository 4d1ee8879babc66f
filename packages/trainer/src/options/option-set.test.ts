import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OptionError, UserError } from '../errors.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import {
  bytes,
  choice,
  flag,
  flagOn,
  flagOrAuto,
  number,
  share,
  shares,
  text,
  whole,
  wholeOrAll,
  wholes,
  withoutEffect,
} from './option-kinds.js';
import { optionSet } from './option-set.js';

const set = optionSet({
  'Model:': {
    model: choice('<size>', 'a size', ['tiny', 'base']).default('base'),
    region: wholes('<t,h,w>', 'tokens', 3).default([2, 5, 10]),
    dim: whole('<n>', 'a width').optional(),
  },
  'Training:': {
    batchSize: whole('<n>', 'clips').default(8),
    seed: whole('<n>', 'of all', { min: 0, max: 9 }).default(0),
    lr: number('<rate>', 'a rate', { min: 0, aboveMin: true }).default(1e-3),
    maskRatio: number('<share>', 'masked', { max: 1, belowMax: true }).default(0.9),
    flip: share('<p>', 'of mirroring').default(0.5),
    maskRatios: shares('<shares>', 'several').default([0.75, 0.9]),
    fold: wholeOrAll('<n>', 'a fold').default('all'),
  },
  'Running:': withoutEffect({
    out: text('<dir>', 'a folder'),
    memoryBudget: bytes('<size>', 'an amount').optional(),
    resume: flagOrAuto('go on'),
    profile: flag('time it'),
    autotune: flagOn('do not'),
  }),
});

function read(...words: string[]) {
  const command = set.addTo(new Command('train'), { configFile: true }).exitOverride();
  command.action(() => undefined).parse(words, { from: 'user' });
  return set.read(command);
}
const readRun = (...words: string[]) => read('--out', 'run', ...words);

async function file(content: string): Promise<string> {
  const path = join(await temporaryFolder(), 'run.yaml');
  await writeFile(path, content);
  return path;
}

describe('options on a command line', () => {
  it('have their defaults unless given', () => {
    const { options, given } = readRun();
    expect(options).toEqual({
      ...{ model: 'base', region: [2, 5, 10], batchSize: 8, seed: 0, lr: 1e-3, maskRatio: 0.9, flip: 0.5 },
      ...{ maskRatios: [0.75, 0.9], fold: 'all', out: 'run', resume: false, profile: false, autotune: true },
    });
    expect([...given]).toEqual(['out']);
  });

  it('are read', () => {
    const words = '--batch-size 32 --lr 3e-4 --mask-ratio .9 --model tiny --mask-ratios 0.5,.25 --fold 3';
    const { options, given } = readRun(
      ...words.split(' '),
      '--memory-budget',
      '7.5 GB',
      '--resume',
      '--no-autotune',
    );
    expect(options).toMatchObject({
      ...{ batchSize: 32, lr: 3e-4, maskRatio: 0.9, model: 'tiny', maskRatios: [0.5, 0.25], fold: 3 },
      ...{ memoryBudget: 7.5e9, resume: true, autotune: false },
    });
    expect(given.has('batchSize')).toBe(true);
    expect(given.has('region')).toBe(false);
  });

  it('take a switch with auto behind it, and nothing else', async () => {
    expect(readRun('--resume', 'auto').options.resume).toBe('auto');
    expect(readRun('--resume', '--profile').options.resume).toBe(true);
    expect(read('--config', await file('out: run\nresume: auto\n')).options.resume).toBe('auto');
    expect(() => readRun('--resume', 'videos')).toThrow(
      '--resume: "videos" cannot be used; expected nothing',
    );
  });

  it.each(['2,5,10', '2x5x10', ' 2 5 10 ', '2, 5, 10'])('takes %j for three numbers', (given) => {
    expect(readRun('--region', given).options.region).toEqual([2, 5, 10]);
  });

  it.each([
    ['8GiB', 8 * 2 ** 30],
    ['512mib', 2 ** 29],
    ['100B', 100],
  ])('takes %s for an amount of memory', (given, expected) =>
    expect(readRun('--memory-budget', given).options.memoryBudget).toBe(expected),
  );

  it.each<[string, string, string]>([
    ['--batch-size', '0', 'a whole number of at least 1'],
    ['--batch-size', '1.5', 'a whole number'],
    ['--batch-size', 'many', 'a whole number'],
    ['--batch-size', '1e400', 'a whole number'],
    ['--seed', '10', 'of at least 0 and of at most 9'],
    ['--lr', '0', 'a number above 0'],
    ['--lr', '0x10', 'a number'],
    ['--lr', 'Infinity', 'a number'],
    ['--lr', '1 ', 'a number'],
    ['--mask-ratio', '1', 'a number below 1'],
    ['--model', 'huge', 'one of tiny, base'],
    ['--region', '2,5', '3 whole numbers of at least 1'],
    ['--region', '2,5,0', '3 whole numbers of at least 1'],
    ['--region', '2,,10', '3 whole numbers'],
    ['--mask-ratios', '0.5,2', 'shares above 0 and below 1'],
    ['--fold', '0', 'or all'],
    ['--memory-budget', '8', 'with its unit, such as 8GiB'],
    ['--memory-budget', '8G', 'such as 8GiB'],
    ['--memory-budget', '0GiB', 'such as 8GiB'],
  ])('refuses %s %j and says what may be given', (key, value, expected) => {
    const refused = () => readRun(key, value);
    expect(refused).toThrow(OptionError);
    expect(refused).toThrow(`${key}: ${JSON.stringify(value)} cannot be used; expected `);
    expect(refused).toThrow(expected);
  });

  it('names a required option that is missing, and both places where it may be given', () => {
    expect(() => read()).toThrow("required option '--out <dir>' is missing: give it, or out in --config");
  });

  it('are in the help with their headings and defaults', () => {
    const help = set.addTo(new Command('train')).helpInformation();
    expect(help).toMatch(/^Model:\n {2}--model <size> +a size \(default: base\)$/m);
    expect(help).toMatch(/--region <t,h,w> +tokens \(default: 2,5,10\)/);
    expect(help).toMatch(/--resume \[auto\] +go on$/m);
    expect(help).toMatch(/--profile +time it$/m);
    expect(help).toMatch(/--no-autotune +do not$/m);
    expect(help).not.toContain('--config');
  });
});

describe('options in a file', () => {
  it('are read like flags, which win over them', async () => {
    const path = await file(
      '# a run\nout: runs/first\nbatch-size: 32\nregion: [1, 2, 3]\nmemory-budget: 8GiB\nautotune: false\nfold: all\n',
    );
    const { options, given } = read('--config', path, '--batch-size', '16');
    expect(options).toMatchObject({
      ...{ out: 'runs/first', batchSize: 16, region: [1, 2, 3], memoryBudget: 8 * 2 ** 30, autotune: false },
    });
    expect([...given].sort()).toEqual(['autotune', 'batchSize', 'fold', 'memoryBudget', 'out', 'region']);
  });

  it('turn off a switch by the name of its flag', async () => {
    const switched = async (line: string) =>
      read('--config', await file(`out: a\n${line}\n`)).options.autotune;
    expect(await switched('no-autotune: true')).toBe(false);
    expect(await switched('no-autotune: false')).toBe(true);
    await expect(switched('no-autotune: yes')).rejects.toThrow(
      /no-autotune: "yes".*; expected true or false/,
    );
    await expect(switched('no-profile: true')).rejects.toThrow(/no-profile is not an option/);
  });

  it.each<[string, string, RegExp]>([
    [
      'an unknown key',
      'out: a\nbach-size: 4\n',
      /run\.yaml, line 2: bach-size is not an option of train\. Did you mean batch-size\?/,
    ],
    ['a key in camel case', 'batchSize: 4\n', /line 1: batchSize is not an option.*Did you mean batch-size/],
    ['a key like no other', 'colour: red\n', /colour is not an option of train\.$/],
    [
      'a value',
      'out: a\nbatch-size: 0\n',
      /run\.yaml, line 2: batch-size: 0 cannot be used; expected a whole number/,
    ],
    ['a value of another type', 'batch-size: true\n', /batch-size: true cannot be used/],
    [
      'a switch turned off by a word',
      'out: a\nprofile: no\n',
      /line 2: profile: "no".*; expected true or false/,
    ],
    [
      'a switch turned on by a word',
      'out: a\nautotune: yes\n',
      /line 2: autotune: "yes".*; expected true or false/,
    ],
    ['a list', '- batch-size\n', /must hold a map of options/],
    ['no YAML', 'out: [\n', /run\.yaml is not YAML: .*line/s],
    ['an alias of nothing', 'out: *a\n', /run\.yaml, line 1: out cannot be read: Unresolved alias/],
    [
      'an alias of itself',
      'out: &a [*a]\n',
      /run\.yaml, line 1: out: an object that cannot be shown cannot be used/,
    ],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]\n`,
      /run\.yaml, line \d+/,
    ],
    ['lists in lists without end', `out: ${'['.repeat(1e5)}`, /run\.yaml is not a file of options: it nests/],
    [
      'lists of lists on a line',
      `out:\n  ${'- '.repeat(1e5)}`,
      /run\.yaml is not a file of options: it nests/,
    ],
    ['a name that is a list', '? [out]\n: x\n', /run\.yaml, line 1: the name of an option must be a word/],
    ['more than options need', `#${'x'.repeat(2 ** 20)}`, /run\.yaml: it has 1048577 bytes/],
  ])('is refused with its place: %s', async (_, content, message) => {
    const path = await file(content);
    const refused = () => read('--config', path);
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(message);
  });

  it('must be there', () => {
    expect(() => read('--config', 'nowhere.yaml')).toThrow(/--config: cannot read nowhere\.yaml/);
  });
});

it('a run remembers what decides its result, given or not', () => {
  const { options } = readRun('--seed', '3', '--resume');
  expect(set.decisive(options)).toEqual({
    ...{ model: 'base', region: [2, 5, 10], dim: null, batchSize: 8, seed: 3, lr: 1e-3, maskRatio: 0.9 },
    ...{ flip: 0.5, maskRatios: [0.75, 0.9], fold: 'all' },
  });
});

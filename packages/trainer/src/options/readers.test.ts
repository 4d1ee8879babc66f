import { describe, expect, it } from 'vitest';
import { OptionError } from '../errors.js';
import { choiceOption, numberOption, wholeNumberOption, wholeNumbersOption } from './readers.js';

describe('values that are accepted', () => {
  it('are read', () => {
    expect(wholeNumberOption('--batch-size', { min: 1 })('32')).toBe(32);
    expect(wholeNumberOption('--seed')('-3')).toBe(-3);
    expect(numberOption('--lr', { min: 0, aboveMin: true })('3e-4')).toBe(3e-4);
    expect(numberOption('--mask-ratio', { min: 0, max: 1, belowMax: true })('.9')).toBe(0.9);
    expect(choiceOption('--model', ['tiny', 'base'])('base')).toBe('base');
    for (const text of ['2,5,10', '2x5x10', ' 2 5 10 ', '2, 5, 10']) {
      expect(wholeNumbersOption('--region', 3, { min: 1 })(text)).toEqual([2, 5, 10]);
    }
  });
});

describe('values that are refused', () => {
  it.each<[string, (text: string) => unknown, string, string]>([
    ['--batch-size', wholeNumberOption('--batch-size', { min: 1 }), '0', 'a whole number of at least 1'],
    ['--batch-size', wholeNumberOption('--batch-size', { min: 1 }), '1.5', 'a whole number'],
    ['--batch-size', wholeNumberOption('--batch-size', { min: 1 }), 'many', 'a whole number'],
    ['--batch-size', wholeNumberOption('--batch-size', { min: 1 }), '', 'a whole number'],
    ['--batch-size', wholeNumberOption('--batch-size', { min: 1 }), '1e400', 'a whole number'],
    ['--seed', wholeNumberOption('--seed', { min: 0, max: 9 }), '10', 'of at least 0 and of at most 9'],
    ['--lr', numberOption('--lr', { min: 0, aboveMin: true }), '0', 'a number above 0'],
    ['--mask-ratio', numberOption('--mask-ratio', { max: 1, belowMax: true }), '1', 'a number below 1'],
    ['--lr', numberOption('--lr'), '0x10', 'a number'],
    ['--lr', numberOption('--lr'), 'Infinity', 'a number'],
    ['--lr', numberOption('--lr'), '1 ', 'a number'],
    ['--model', choiceOption('--model', ['tiny', 'base']), 'huge', 'one of tiny, base'],
    ['--region', wholeNumbersOption('--region', 3, { min: 1 }), '2,5', '3 whole numbers of at least 1'],
    ['--region', wholeNumbersOption('--region', 3, { min: 1 }), '2,5,0', '3 whole numbers of at least 1'],
    ['--region', wholeNumbersOption('--region', 3), '2,,10', '3 whole numbers'],
  ])('%s', (key, read, text, expected) => {
    let error: unknown;
    try {
      read(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ key, value: text, exitCode: 2 });
    expect((error as Error).message).toContain(`${key}: ${JSON.stringify(text)}`);
    expect((error as Error).message).toContain(expected);
  });
});

/**
 * Readers of option values for command lines: each takes an option's name and gives a function from the
 * text that the user wrote to the value, which throws an `OptionError` naming both. They fit commander's
 * `.option(flags, description, reader)`.
 */
import { OptionError } from '../errors.js';

export interface NumberRange {
  /** Least value; none when left out. */
  readonly min?: number;
  /** Greatest value; none when left out. */
  readonly max?: number;
  /** Whether `min` itself is refused. */
  readonly aboveMin?: boolean;
  /** Whether `max` itself is refused. */
  readonly belowMax?: boolean;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function rangeText(kind: string, { min, max, aboveMin, belowMax }: NumberRange): string {
  const parts = [kind];
  if (min !== undefined) parts.push(aboveMin ? `above ${min}` : `of at least ${min}`);
  if (min !== undefined && max !== undefined) parts.push('and');
  if (max !== undefined) parts.push(belowMax ? `below ${max}` : `of at most ${max}`);
  return parts.join(' ');
}

function inRange(value: number, { min, max, aboveMin, belowMax }: NumberRange): boolean {
  if (min !== undefined && (value < min || (aboveMin && value === min))) return false;
  return !(max !== undefined && (value > max || (belowMax && value === max)));
}

function reader(
  key: string,
  kind: string,
  range: NumberRange,
  accepts: (value: number) => boolean,
): (text: string) => number {
  return (text) => {
    const value = DECIMAL.test(text) ? Number(text) : NaN;
    if (!accepts(value) || !inRange(value, range)) throw new OptionError(key, text, rangeText(kind, range));
    return value;
  };
}

/** Reads a whole number, such as `32`. */
export function wholeNumberOption(key: string, range: NumberRange = {}): (text: string) => number {
  return reader(key, 'a whole number', range, Number.isSafeInteger);
}

/** Reads a decimal number, such as `0.9` or `3e-4`. */
export function numberOption(key: string, range: NumberRange = {}): (text: string) => number {
  return reader(key, 'a number', range, Number.isFinite);
}

/** Reads one of a few words. */
export function choiceOption<Choice extends string>(
  key: string,
  choices: readonly Choice[],
): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((one) => one === text);
    if (choice === undefined) throw new OptionError(key, text, `one of ${choices.join(', ')}`);
    return choice;
  };
}

/** Reads exactly `count` whole numbers, such as `2,5,10`; they may be separated by commas, x or blanks. */
export function wholeNumbersOption(
  key: string,
  count: number,
  range: NumberRange = {},
): (text: string) => number[] {
  return (text) => {
    const expected = rangeText(`${count} whole numbers`, range);
    const words = text.trim().split(/\s*[,x\s]\s*/);
    const values = words.map((word) => (DECIMAL.test(word) ? Number(word) : NaN));
    const good = values.every((value) => Number.isSafeInteger(value) && inRange(value, range));
    if (values.length !== count || !good) throw new OptionError(key, text, expected);
    return values;
  };
}

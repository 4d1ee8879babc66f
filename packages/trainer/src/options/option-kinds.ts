/**
 * The kinds of options that commands have. Each function gives a zod schema that knows how the command line writes it;
 * `.default(…)` or `.optional()` say what holds where it is not given.
 */
import { z } from 'zod';

/** What the command line knows of an option besides its schema. */
export interface OptionText {
  /** Stands for the value in the help, such as `<n>`; absent for a switch. */
  readonly value?: string;
  readonly help: string;
  /** What may be given, behind `expected`. */
  readonly expected: string;
  /** The value that a text stands for. A text that stands for none comes back as it is: the schema refuses it. */
  readonly read: (text: string) => unknown;
}

const texts = z.registry<OptionText>();
const free = new WeakSet<z.ZodType>();

/** Schemas of options by their names, which are those of the flags in camel case. */
export type Options = Readonly<Record<string, z.ZodType>>;
/** The values of options. */
export type ValuesOf<Shape extends Options> = z.output<z.ZodObject<Shape>>;

/** What the command line knows of an option, whatever default it has. */
export function textOf(schema: z.ZodType): OptionText {
  for (let inner: unknown = schema; inner instanceof z.ZodType;) {
    const text = texts.get(inner);
    if (text) return text;
    inner = inner instanceof z.ZodDefault || inner instanceof z.ZodOptional ? inner.unwrap() : undefined;
  }
  throw new TypeError('an option was not made by one of the functions of option-kinds.ts');
}

/** Marks options that do not change the result of a run: it may be resumed with others. */
export function withoutEffect<Shape extends Options>(options: Shape): Shape {
  for (const schema of Object.values(options)) free.add(schema);
  return options;
}

export function hasEffect(schema: z.ZodType): boolean {
  return !free.has(schema);
}

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
const readNumber = (text: string): unknown => (DECIMAL.test(text) ? Number(text) : text);

function rangeText(kind: string, { min, max, aboveMin, belowMax }: NumberRange): string {
  const parts = [kind];
  if (min !== undefined) parts.push(aboveMin ? `above ${min}` : `of at least ${min}`);
  if (min !== undefined && max !== undefined) parts.push('and');
  if (max !== undefined) parts.push(belowMax ? `below ${max}` : `of at most ${max}`);
  return parts.join(' ');
}

function within(schema: z.ZodNumber, { min, max, aboveMin, belowMax }: NumberRange): z.ZodNumber {
  let result = schema;
  if (min !== undefined) result = aboveMin ? result.gt(min) : result.min(min);
  if (max !== undefined) result = belowMax ? result.lt(max) : result.max(max);
  return result;
}

/** A decimal number, such as `0.9` or `3e-4`. */
export function number(value: string, help: string, range: NumberRange = {}) {
  const schema = within(z.number(), range);
  return schema.register(texts, { value, help, expected: rangeText('a number', range), read: readNumber });
}

/** A whole number, by default of at least 1. */
export function whole(value: string, help: string, range: NumberRange = { min: 1 }) {
  const schema = within(z.int(), range);
  const expected = rangeText('a whole number', range);
  return schema.register(texts, { value, help, expected, read: readNumber });
}

/** A number above 0. */
export const positive = (value: string, help: string) => number(value, help, { min: 0, aboveMin: true });
/** A number of at least 0. */
export const notNegative = (value: string, help: string) => number(value, help, { min: 0 });
/** A number from 0 to 1. */
export const share = (value: string, help: string) => number(value, help, { min: 0, max: 1 });

/** One of a few words. */
export function choice<const Choices extends readonly string[]>(
  value: string,
  help: string,
  choices: Choices,
) {
  const expected = `one of ${choices.join(', ')}`;
  return z.enum(choices).register(texts, { value, help, expected, read: (text) => text });
}

/** A name, a path or other words. */
export function text(value: string, help: string) {
  return z
    .string()
    .min(1)
    .register(texts, { value, help, expected: 'a text', read: (given) => given });
}

/** Names or other words, separated by commas. */
export function words(value: string, help: string) {
  const read = (given: string) => given.split(',').map((word) => word.trim());
  const expected = 'words separated by commas';
  return z.array(z.string().min(1)).min(1).register(texts, { value, help, expected, read });
}

/** A switch that is off unless given. */
export function flag(help: string) {
  return z
    .boolean()
    .register(texts, { help, expected: 'true or false', read: (given) => given })
    .default(false);
}

/** A switch that is on unless given with `--no-` before its name. */
export function flagOn(help: string) {
  return z
    .boolean()
    .register(texts, { help, expected: 'true or false', read: (given) => given })
    .default(true);
}

/** A switch that is off unless given, and may have `auto` behind it. */
export function flagOrAuto(help: string) {
  return z
    .union([z.boolean(), z.literal('auto')])
    .register(texts, {
      ...{
        value: '[auto]',
        help,
        expected: 'nothing or auto behind it; put arguments before it',
      },
      read: (given) => given,
    })
    .default(false);
}

/** Exactly `count` whole numbers of at least 1, such as `2,5,10`; they may be separated by commas, x or blanks. */
export function wholes(value: string, help: string, count: number) {
  const range = { min: 1 };
  return z
    .array(within(z.int(), range))
    .length(count)
    .register(texts, {
      ...{ value, help, expected: rangeText(`${count} whole numbers`, range) },
      read: (given) =>
        given
          .trim()
          .split(/\s*[,x\s]\s*/)
          .map(readNumber),
    });
}

/** Shares above 0 and below 1, separated by commas. */
export function shares(value: string, help: string) {
  const expected = 'shares above 0 and below 1, separated by commas, such as 0.75,0.9';
  const one = within(z.number(), { min: 0, max: 1, aboveMin: true, belowMax: true });
  const read = (given: string) => given.split(',').map((word) => readNumber(word.trim()));
  return z.array(one).min(1).register(texts, { value, help, expected, read });
}

/** A whole number of at least 1, or `all`. */
export function wholeOrAll(value: string, help: string) {
  const expected = `${rangeText('a whole number', { min: 1 })}, or all`;
  const schema = z.union([z.int().min(1), z.literal('all')]);
  return schema.register(texts, { value, help, expected, read: readNumber });
}

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

function readBytes(given: string): unknown {
  const [, amount, unit] = /^\s*(\d+\.?\d*|\.\d+)\s*([kmg]?i?b)\s*$/i.exec(given) ?? [];
  const bytes = Math.floor(Number(amount) * (UNITS[unit?.toLowerCase() ?? ''] ?? NaN));
  return bytes > 0 ? bytes : given;
}

/** An amount of memory with its unit, such as `8GiB` or `7.5 GB`; in bytes. */
export function bytes(value: string, help: string) {
  const expected = 'an amount of memory with its unit, such as 8GiB';
  return z.number().positive().register(texts, { value, help, expected, read: readBytes });
}

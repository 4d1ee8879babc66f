import { Option, type Command } from 'commander';
import { z } from 'zod';
import { OptionError, UserError } from '../errors.js';
import type { JsonValue } from '../run/run-folder.js';
import { readConfigFile } from './config-file.js';
import { hasEffect, textOf, type Options, type ValuesOf } from './option-kinds.js';
import { nearest } from './nearest.js';

/** The union of what groups of options hold. */
type Merged<Groups extends Readonly<Record<string, Options>>> = (
  Groups[keyof Groups] extends infer Group ? (Group extends Options ? (all: Group) => void : never) : never
) extends (all: infer All) => void
  ? All extends Options
    ? All
    : never
  : never;

/** What was given to a command. */
export interface Given<Shape extends Options> {
  readonly options: ValuesOf<Shape>;
  /** The options that the command line or the file gives; the others have their defaults. */
  readonly given: ReadonlySet<string>;
}

/** The values that an option set reads. */
export type ValuesOfSet<Set> = Set extends OptionSet<infer Shape> ? ValuesOf<Shape> : never;

/** The name of an option as it is on the command line, without the dashes in front. */
export const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Declares the options of a command, by the headings that they have in its help. */
export function optionSet<const Groups extends Readonly<Record<string, Options>>>(
  groups: Groups,
): OptionSet<Merged<Groups>> {
  return new OptionSet<Merged<Groups>>(groups);
}

/**
 * The options of a command, declared once: their schema gives the types, the flags and the help, the values in a
 * configuration file, the checks, and what a run remembers of them.
 */
export class OptionSet<Shape extends Options> {
  private readonly shape: Options;

  constructor(private readonly groups: Readonly<Record<string, Options>>) {
    this.shape = Object.assign({}, ...Object.values(groups)) as Options;
  }

  /** Adds the flags to a command; with `configFile` also `--config`, which reads them from a file. */
  addTo(command: Command, { configFile = false }: { configFile?: boolean } = {}): Command {
    for (const [heading, options] of Object.entries(this.groups)) {
      for (const [name, schema] of Object.entries(options)) {
        command.addOption(new Option(flagOf(name, schema), helpOf(schema)).helpGroup(heading));
      }
    }
    if (!configFile) return command;
    const help = 'YAML file of options, by their names without dashes in front; flags win over it';
    return command.option('--config <file>', help);
  }

  /**
   * The options that a command was given, checked.
   *
   * @throws OptionError naming an option, its value, the place where it is not a flag, and what may be given
   * @throws UserError for a file that cannot be read, or has keys that are not options; for a missing option
   */
  read(command: Command): Given<Shape> {
    const found = new Map<
      string,
      { readonly value: unknown; readonly shown: unknown; readonly key: string }
    >();
    const { config } = command.opts<{ config?: string }>();
    for (const { key, value, place } of config === undefined ? [] : readConfigFile(config)) {
      const names = Object.keys(this.shape);
      const plain = names.find((one) => dashed(one) === key);
      // A switch that is on by default may stand there by its flag, which turns it off.
      const name = plain ?? names.find((one) => flagOf(one, this.shape[one]!) === `--${key}`);
      if (name === undefined) {
        const near = nearest(key, names.map(dashed));
        const hint = near === undefined ? '' : ` Did you mean ${near}?`;
        throw new UnknownOptionError(`${place}: ${key} is not an option of ${command.name()}.${hint}`);
      }
      const isText = typeof value === 'string';
      const read = isText ? textOf(this.shape[name]!).read(value) : value;
      const meant = plain === undefined && typeof read === 'boolean' ? !read : read;
      found.set(name, { value: meant, shown: value, key: `${place}: ${key}` });
    }
    const flags = command.opts<Record<string, unknown>>();
    for (const [name, schema] of Object.entries(this.shape)) {
      if (command.getOptionValueSource(name) !== 'cli') continue;
      const shown = flags[name];
      const value = typeof shown === 'string' ? textOf(schema).read(shown) : shown;
      found.set(name, { value, shown, key: `--${dashed(name)}` });
    }
    const values = Object.fromEntries([...found].map(([name, { value }]) => [name, value]));
    const parsed = z.object(this.shape).safeParse(values);
    if (parsed.success) {
      return { options: parsed.data as ValuesOf<Shape>, given: new Set(found.keys()) };
    }
    const name = String(parsed.error.issues[0]!.path[0]);
    const schema = this.shape[name]!;
    const wrong = found.get(name);
    if (wrong) throw new OptionError(wrong.key, wrong.shown, textOf(schema).expected);
    const places = acceptsFile(command) ? `, or ${dashed(name)} in --config` : '';
    throw new MissingOptionError(`required option '${flagOf(name, schema)}' is missing: give it${places}`);
  }

  /** The options that decide the result of a run, with their values; null for those that have none. */
  decisive(options: object): Record<string, JsonValue> {
    const values = options as Record<string, JsonValue | undefined>;
    const names = Object.entries(this.shape).flatMap(([name, schema]) => (hasEffect(schema) ? [name] : []));
    return Object.fromEntries(names.map((name) => [name, values[name] ?? null]));
  }
}

/**
 * The value that a text of the command line stands for, where it is not a flag, such as an argument.
 *
 * @throws OptionError naming `key`, the text and what may be given
 */
export function readValue<Schema extends z.ZodType>(
  key: string,
  schema: Schema,
  text: string,
): z.output<Schema> {
  const { read, expected } = textOf(schema);
  const parsed = schema.safeParse(read(text));
  if (!parsed.success) throw new OptionError(key, text, expected);
  return parsed.data;
}

/** A file gives an option that there is not. */
export class UnknownOptionError extends UserError {
  override readonly name = 'UnknownOptionError';
  override readonly exitCode = 2;
}

/** An option without which a command cannot run was not given. */
export class MissingOptionError extends UserError {
  override readonly name = 'MissingOptionError';
  override readonly exitCode = 2;
}

function acceptsFile(command: Command): boolean {
  return command.options.some(({ long }) => long === '--config');
}

function flagOf(name: string, schema: z.ZodType): string {
  const { value } = textOf(schema);
  if (value !== undefined) return `--${dashed(name)} ${value}`;
  return `--${defaultOf(schema) === true ? 'no-' : ''}${dashed(name)}`;
}

function helpOf(schema: z.ZodType): string {
  const { help, value } = textOf(schema);
  const preset = defaultOf(schema);
  // As it is written on the command line, without the quotes and brackets of JSON.
  return value === undefined || preset === undefined || preset === false
    ? help
    : `${help} (default: ${String(preset)})`;
}

function defaultOf(schema: z.ZodType): unknown {
  const result = schema.safeParse(undefined);
  return result.success ? result.data : undefined;
}

import { Option, type Command } from 'commander';
import { numberOption, wholeNumberOption } from './readers.js';

/** Reader of a whole number of at least `min`. */
export const whole = (key: string, min = 1) => wholeNumberOption(key, { min });
/** Reader of a number above 0. */
export const positive = (key: string) => numberOption(key, { min: 0, aboveMin: true });
/** Reader of a number of at least 0. */
export const notNegative = (key: string) => numberOption(key, { min: 0 });
/** Reader of a number from 0 to 1. */
export const share = (key: string) => numberOption(key, { min: 0, max: 1 });

/** An option with a value, read by `parse`; `preset` is its value where it is not given. */
export function valued(
  flags: string,
  description: string,
  parse: (text: string) => unknown,
  preset?: unknown,
): Option {
  const option = new Option(flags, description).argParser(parse);
  if (preset === undefined) return option;
  // As it is written on the command line, without the quotes and brackets of JSON.
  return option.default(preset, String(preset));
}

/** Adds options to a command, under their headings in its help. */
export function addOptionGroups(
  command: Command,
  groups: Readonly<Record<string, readonly Option[]>>,
): Command {
  for (const [heading, options] of Object.entries(groups)) {
    for (const option of options) command.addOption(option.helpGroup(heading));
  }
  return command;
}

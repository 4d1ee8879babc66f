import { OptionError } from '../errors.js';
import { Option } from 'commander';

/** Options about the memory of a step, and to say beforehand what it takes; named as on the command line. */
export interface MemoryOptions {
  readonly recompute?: true;
  readonly dryRun?: true;
  /** Bytes. */
  readonly memoryBudget?: number;
}

/** The options for `addOptionGroups`. */
export function memoryOptions(): Option[] {
  return [
    new Option(
      '--recompute',
      'keep only what enters each block, and run blocks again going back: a fraction of the memory for about a third ' +
        'more arithmetic, and the same numbers',
    ),
    new Option('--dry-run', 'say what a step takes of the GPU’s memory, and train nothing'),
    new Option(
      '--memory-budget <size>',
      'with --dry-run: find the largest batch that fits in, e.g. 8GiB',
    ).argParser(memorySizeOption('--memory-budget')),
  ];
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

/** Reads an amount of memory with its unit, such as `8GiB` or `7.5 GB`, in bytes. Throws `OptionError`. */
export function memorySizeOption(key: string): (text: string) => number {
  return (text) => {
    const [, amount, unit] = /^\s*(\d+\.?\d*|\.\d+)\s*([kmg]?i?b)\s*$/i.exec(text) ?? [];
    const bytes = Math.floor(Number(amount) * (UNITS[unit?.toLowerCase() ?? ''] ?? NaN));
    if (!(bytes > 0)) throw new OptionError(key, text, 'an amount of memory with its unit, such as 8GiB');
    return bytes;
  };
}

/** The options with `--recompute` where it is not given, without where it is; and how to say so. */
export function otherMemoryOptions<Options extends MemoryOptions>(
  options: Options,
): { readonly name: string; readonly options: Options } {
  const { recompute, ...others } = options;
  return recompute
    ? { name: 'without --recompute', options: others as Options }
    : { name: 'with --recompute', options: { ...options, recompute: true } };
}

/** Throws `OptionError` where a budget is given and nothing asks for it. */
export function requireFittingMemoryOptions({ dryRun, memoryBudget }: MemoryOptions): void {
  if (memoryBudget === undefined || dryRun) return;
  throw new OptionError('--memory-budget', memoryBudget, '--dry-run beside it');
}

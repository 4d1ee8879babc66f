import { OptionError } from '@tubelet/trainer';
import { Option } from 'commander';

/** Options of a program that can say beforehand what a step takes; the names are those of the command line. */
export interface MemoryOptions {
  readonly dryRun?: true;
  /** Bytes. */
  readonly memoryBudget?: number;
}

/** The options for `addOptionGroups`. */
export function memoryOptions(): Option[] {
  return [
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

/** Throws `OptionError` where a budget is given and nothing asks for it. */
export function requireFittingMemoryOptions({ dryRun, memoryBudget }: MemoryOptions): void {
  if (memoryBudget === undefined || dryRun) return;
  throw new OptionError('--memory-budget', memoryBudget, '--dry-run beside it');
}

import type { Runtime } from '@tubelet/kernels';
import { gpuBindingsVersion } from '@tubelet/kernels/node';
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeAdapter } from '../shared/adapter.js';
import type { Machine } from './report.js';

// Relative to the built program.
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a program prints; undefined where it is missing or fails. */
function output(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, {
      ...{ cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    }).trim();
  } catch {
    return undefined;
  }
}

/** A text in the letters of file names. */
export function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
}

/**
 * What the report is made on.
 *
 * @param commit of the sources; git is asked unless it is given
 */
export function describeMachine({ adapter }: Runtime, commit: string | undefined): Machine {
  const isNvidia = /nvidia/i.test(adapter.vendor);
  const driver = isNvidia ? nvidiaSmi('name,driver_version') : undefined;
  const changes = commit === undefined ? output('git', ['status', '--porcelain', '-uno']) : undefined;
  return {
    adapter,
    slug: slugOf(adapter.device || describeAdapter(adapter)),
    ...(driver === undefined ? {} : { driver }),
    commit: commit ?? output('git', ['rev-parse', '--short=10', 'HEAD']) ?? 'unknown',
    ...(changes === undefined ? {} : { isModified: changes !== '' }),
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    dawn: gpuBindingsVersion(),
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
  };
}

/** The clocks of a GPU that has just been at work; undefined where nobody tells. */
export function clocksNow({ adapter }: Runtime): string | undefined {
  if (adapter.isSoftware) return undefined;
  return nvidiaSmi('clocks.sm,clocks.max.sm,clocks.mem,power.draw,temperature.gpu');
}

/** Of the first GPU: with several, whose number Vulkan's is cannot be told. */
function nvidiaSmi(fields: string): string | undefined {
  const all = output('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv']);
  const [names, first] = all?.split('\n') ?? [];
  if (names === undefined || first === undefined) return undefined;
  const values = first.split(', ');
  const labels = names.split(', ').map((label) => label.replace(/ \[.*\]$/, '').replaceAll('.', ' '));
  return labels.map((label, i) => `${label} ${values[i] ?? '?'}`).join(', ');
}

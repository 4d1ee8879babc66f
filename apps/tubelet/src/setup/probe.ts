import type { GpuReport } from '@tubelet/kernels/node';
import { runCommand, type CommandResult } from './run-command.js';

/** What an adapter is and can do, or the reasons why there is none. */
export interface Probed {
  readonly report?: GpuReport;
  readonly reasons: readonly string[];
}

export interface ProbeOptions {
  /** Environment variables to set; undefined unsets. */
  readonly env?: NodeJS.ProcessEnv;
  /** The Node to start; default: the present one. */
  readonly node?: string;
}

/** Opens an adapter and a device in a child process and runs a small kernel there. */
export type Probe = (options?: ProbeOptions) => Promise<Probed>;

/** @param words for Node: the script of the child process, which is `probe-child.ts`, and what it needs in front */
export function probeWith(...words: string[]): Probe {
  return async ({ env, node = process.execPath } = {}) => {
    let result: CommandResult;
    try {
      result = await runCommand(node, words, {
        env: { ...process.env, ...env },
        timeoutMs: 90_000,
        allowFailure: true,
      });
    } catch (error) {
      return { reasons: [(error as Error).message] };
    }
    const line = result.stdout.trim().split('\n').at(-1) ?? '';
    try {
      const { report, reasons = [] } = JSON.parse(line) as Partial<Probed>;
      return report === undefined ? { reasons } : { report, reasons };
    } catch {
      const tail = result.stderr.trim().split('\n').slice(-4).join(' / ');
      return { reasons: [`the process that opened it ended with exit code ${result.code}: ${tail}`] };
    }
  };
}

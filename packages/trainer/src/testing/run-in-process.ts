/** Runs a command as the program does, within the test: a process of its own takes seconds to start. */
import type { Command } from 'commander';
import { vi } from 'vitest';
import { programExitCode } from '../program/program.js';

/** How a program ended, and what it said. */
export interface EndedInProcess {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command that `words`, of a command line, begin with; what it prints is taken in place of being shown. */
export async function runInProcess(
  commands: readonly Command[],
  words: readonly string[],
): Promise<EndedInProcess> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).flatMap((stream) => [
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      said[stream] += String(chunk);
      return true;
    }),
    // The console of a test does not write to the streams.
    vi
      .spyOn(console, stream === 'stdout' ? 'log' : 'error')
      .mockImplementation((...parts: unknown[]) => void (said[stream] += `${parts.join(' ')}\n`)),
  ]);
  const { argv } = process;
  process.argv = [process.execPath, 'tubelet', ...words];
  try {
    return { exitCode: await programExitCode('tubelet', '', commands, { env: {} }), ...said };
  } finally {
    process.argv = argv;
    for (const spy of spies) spy.mockRestore();
  }
}

import { CommanderError, InvalidArgumentError, type Command } from 'commander';

/** An option has a value that the program cannot use; the message names both. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs a program whose body gives an exit code, and ends the process with it: an open GPU would keep it alive.
 * Wrong usage ends with 2, any other error with 1 and its message (its stack with TUBELET_DEBUG=1).
 */
export async function runProgram<Options extends object>(
  program: Command,
  body: (options: Options) => Promise<number>,
): Promise<never> {
  let exitCode = 0;
  program.exitOverride().allowExcessArguments(false);
  program.action(async () => {
    exitCode = await body(program.opts<Options>());
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      exitCode = error instanceof UsageError ? 2 : 1;
      const message = error instanceof Error ? error.message : String(error);
      console.error(process.env['TUBELET_DEBUG'] === '1' ? error : `error: ${message}`);
    }
  }
  await flush(process.stdout);
  return process.exit(exitCode);
}

/** Reads a whole number of at least 1 from the command line. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

// A pipe may still hold what was printed last.
function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

import { UserError, systemErrorCode } from '../errors.js';

/** A class of errors whose message tells the user all there is to know. */
export type ErrorClass = abstract new (...parameters: never[]) => Error;

export interface CliOptions {
  /** Errors of other packages that are shown like a `UserError`, with exit code 1. */
  readonly userErrors?: readonly ErrorClass[];
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly writeError?: (text: string) => void;
}

const DEBUG_HINT = 'Run it again with --debug for the stack trace.';

/** Errors of commander: it has printed them itself, and an exit code of 0 stands for `--help`. */
function commanderExitCode(error: unknown): number | null {
  if (!systemErrorCode(error)?.startsWith('commander.')) return null;
  const exitCode = (error as { readonly exitCode?: unknown }).exitCode;
  return exitCode === 0 ? 0 : 2;
}

/** The error and what caused it, each with its stack. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/**
 * Runs a program and gives its exit code. Errors that the user can do something about are printed as their
 * message alone; others are said to be a defect. Stack traces come with `--debug` or `TUBELET_DEBUG=1`
 * only (a program that uses this declares the option `--debug`).
 *
 * @param main gives the exit code, or nothing for 0
 */
export async function exitCodeOf(
  main: () => Promise<number | void>,
  options: CliOptions = {},
): Promise<number> {
  const { userErrors = [], argv = process.argv, env = process.env } = options;
  const writeError = options.writeError ?? ((text: string) => void process.stderr.write(text));
  const debug = argv.includes('--debug') || env.TUBELET_DEBUG === '1';
  try {
    return (await main()) ?? 0;
  } catch (error) {
    const commander = commanderExitCode(error);
    if (commander !== null) return commander;
    const expected = error instanceof UserError || userErrors.some((one) => error instanceof one);
    if (!expected) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      writeError(`unexpected error: ${message}\nThis is a defect of the program. `);
      writeError(debug ? `\n${stackOf(error)}\n` : `${DEBUG_HINT}\n`);
      return 1;
    }
    writeError(`error: ${debug ? stackOf(error) : (error as Error).message}\n`);
    return error instanceof UserError ? error.exitCode : 1;
  }
}

/**
 * {@link exitCodeOf}, then the end of the process once its output is written. The process is ended
 * outright, because an open GPU device would keep it alive.
 */
export async function runCli(main: () => Promise<number | void>, options: CliOptions = {}): Promise<never> {
  const exitCode = await exitCodeOf(main, options);
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
  process.exit(exitCode);
}

import { shown } from '@tubelet/kernels';

/**
 * A mistake or a condition that the user can do something about: shown as its message alone, without a
 * stack trace. Everything else that is thrown is a defect of the program.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  /** Exit code of a program that ends with this error: 2 for a wrong command line, 1 for the rest. */
  readonly exitCode: 1 | 2 = 1;
}

/** A command-line option or setting with a value that cannot be used. */
export class OptionError extends UserError {
  override readonly name = 'OptionError';
  override readonly exitCode = 2;

  /**
   * @param key the option as the user writes it, such as `--batch-size`
   * @param value what was given
   * @param expected what may be given instead
   */
  constructor(
    readonly key: string,
    readonly value: unknown,
    readonly expected: string,
    message = `${key}: ${shown(value)} cannot be used; expected ${expected}`,
  ) {
    super(message);
  }
}

/** An option that says nothing without another. */
export class LoneOptionError extends OptionError {
  /**
   * @param key the option as the user writes it, such as `--hop`
   * @param value what was given
   * @param missing what must be given with it, such as `--window`, and perhaps why
   */
  constructor(key: string, value: unknown, missing: string) {
    super(key, value, missing, `${key} needs ${missing}`);
  }
}

/** The system's code of a failed call, such as `ENOSPC`, or null where there is none. */
export function systemErrorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { DeviceLostError, KernelValidationError, OutOfMemoryError, type TubeletError } from './errors.js';

/** Stands for the kernel in errors that WebGPU reports without saying which call they belong to. */
export const UNATTRIBUTED = '(see message)';

/**
 * The first error that says what went wrong. WebGPU answers later than it is called: whether a shader compiled, or
 * whether there was memory, is known only after the calls that follow from it have failed as well.
 */
export class FailureLog {
  private failure: TubeletError | undefined;
  private readonly outstanding = new Set<Promise<void>>();

  /** Keeps `error` unless an earlier one says as much: consequences give way to causes. */
  record(error: TubeletError): void {
    if (!this.failure || weight(error) > weight(this.failure)) this.failure = error;
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure;
  }

  /** Records the error that `answer` resolves to, if any. */
  expect(answer: Promise<TubeletError | undefined>): void {
    const settled = answer.then(
      (error) => {
        this.outstanding.delete(settled);
        if (error) this.record(error);
      },
      // Only a lost device gives no answer, and that reports itself.
      () => void this.outstanding.delete(settled),
    );
    this.outstanding.add(settled);
  }

  /** Waits for all answers, then throws the error that there is, if any. */
  async settle(): Promise<void> {
    while (this.outstanding.size > 0) await Promise.all(this.outstanding);
    this.throwIfFailed();
  }
}

function weight(error: TubeletError): number {
  if (error instanceof OutOfMemoryError || error instanceof DeviceLostError) return 2;
  return error instanceof KernelValidationError && error.kernel === UNATTRIBUTED ? 0 : 1;
}

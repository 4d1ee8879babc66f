import { constants } from 'node:os';

/** Whether the user asked the run to end. */
export interface StopRequest {
  readonly requested: boolean;
  /** Gives the signals back to their usual meaning. */
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

/**
 * Takes SIGINT, SIGTERM and SIGUSR1, which schedulers send before the end of a job's time, as the wish to end the run
 * after the present step, by default with a checkpoint. A second signal ends the process at once, with the exit code that
 * shells give to it (128 plus its number).
 *
 * @param note prints a line to the user
 * @param doing what is done before the end, in words
 */
export function stopOnSignals(
  note: (message: string) => void,
  doing = 'finishing this step and writing a checkpoint',
): StopRequest {
  let requested = false;
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      if (requested) process.exit(128 + constants.signals[signal]);
      requested = true;
      note(`${signal}: ${doing}; a second signal ends at once`);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return {
    get requested() {
      return requested;
    },
    dispose() {
      for (const { signal, handler } of handlers) process.off(signal, handler);
    },
  };
}

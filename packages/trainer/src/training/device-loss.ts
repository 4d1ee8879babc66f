import type { DeviceLostError } from '@tubelet/kernels';
import { listCheckpoints } from '../formats/checkpoint-folder.js';
import { UserError } from '../errors.js';

/** The GPU was lost again and again, and the run came no further. */
export class GpuLostError extends UserError {
  override readonly name = 'GpuLostError';

  constructor(times: number, directory: string, cause: DeviceLostError) {
    super(
      `the GPU was lost ${times} times without a new checkpoint in between, the last time so: ${cause.message} Look at the ` +
        `driver (the system log says what it thinks), then go on with --resume: the checkpoints in ${directory} are whole.`,
      { cause },
    );
  }
}

/** Counts how often a run has lost its GPU. */
export class DeviceLosses {
  private inARow = 0;
  private newestStep = -1;

  /** @param limit how often it may be opened again without a new checkpoint in between */
  constructor(
    private readonly directory: string,
    private readonly limit: number,
  ) {}

  /**
   * To be called with each loss.
   *
   * @throws GpuLostError when there were too many
   */
  async count(error: DeviceLostError): Promise<void> {
    const step = (await listCheckpoints(this.directory))[0]?.step ?? -1;
    if (step > this.newestStep) this.inARow = 0;
    this.newestStep = step;
    this.inARow += 1;
    if (this.inARow > this.limit) throw new GpuLostError(this.inARow, this.directory, error);
  }
}

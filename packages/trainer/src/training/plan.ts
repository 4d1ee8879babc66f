import type { Communicator } from '@tubelet/mpi';
import type { Progress } from '../program/progress.js';
import type { RunConfig } from '../run/run-folder.js';
import type { RunLock } from '../run/run-lock.js';
import type { StopRequest } from '../program/stop-signal.js';
import type { BadFiles } from './bad-files.js';
import type { EpochReader } from './epoch-reader.js';
import type { ClipOrigins, Task, TaskData, TaskLoader, TrainedModel } from './task.js';
import type { Trace } from './trace.js';

/** What is known of a training before the first of its steps. */
export interface Plan<Batch extends ClipOrigins, Model extends TrainedModel<Batch>> {
  readonly ranks: Communicator;
  readonly task: Task<Batch, Model>;
  readonly data: TaskData<Batch>;
  readonly loader: TaskLoader<Batch>;
  readonly batches: EpochReader<Batch>;
  readonly stepsPerEpoch: number;
  /** Steps from one checkpoint to the next. */
  readonly saveEvery: number;
  readonly progress: Progress;
  readonly badFiles: BadFiles;
  readonly stop: StopRequest;
  readonly trace: Trace | undefined;
  /** Taken by the first rank as soon as there is a folder. */
  readonly lock: RunLock;
  /** Why the GPU had to be opened again; undefined the first time. */
  readonly lost: Error | undefined;
  /** The run to go on with; undefined for a new one. */
  readonly saved: RunConfig | undefined;
}

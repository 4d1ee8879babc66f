import { MpiError } from './errors.js';

/** Libraries whose handles and launchers are alike; Intel MPI, MVAPICH and Cray MPICH are MPICH's relatives. */
export type Family = 'Open MPI' | 'MPICH';

/** What a launcher such as mpirun tells the processes that it starts. */
export interface Launch {
  /** Undefined where the launcher serves both: whichever is installed. */
  readonly family: Family | undefined;
  readonly size: number;
}

const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : undefined;

/**
 * How this process was started, by its environment; undefined for a process of its own.
 *
 * @throws MpiError for one of several tasks of Slurm that were not made ranks of a job: each would train by itself
 */
export function readLaunch(env: NodeJS.ProcessEnv): Launch | undefined {
  const openMpi = count(env.OMPI_COMM_WORLD_SIZE);
  if (openMpi !== undefined) return { family: 'Open MPI', size: openMpi };
  // Hydra, the launcher of MPICH and its relatives, and `srun --mpi=pmi2`.
  const mpich = count(env.PMI_SIZE);
  if (mpich !== undefined) return { family: 'MPICH', size: mpich };
  const tasks = count(env.SLURM_STEP_NUM_TASKS);
  if (env.PMIX_RANK !== undefined && tasks !== undefined) return { family: undefined, size: tasks };
  if (tasks === undefined || tasks === 1) return undefined;
  throw new MpiError(
    `srun has started ${tasks} tasks that do not know of one another, and each would do the whole work. ` +
      'Use `srun --mpi=pmix` (Open MPI) or `srun --mpi=pmi2` (MPICH), or start the job with mpirun.',
  );
}

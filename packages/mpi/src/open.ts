import type { Communicator } from './communicator.js';
import { readLaunch } from './launch.js';
import { openLibrary } from './library.js';
import { MpiCommunicator } from './mpi-communicator.js';
import { SingleRank } from './single-rank.js';

/**
 * Joins the job that mpirun, mpiexec or srun has started this process for; without one of them, or with one rank, gives a
 * communicator of one rank and loads no library. Once in a process, on its main thread. From then on an exit with another
 * code than 0 ends the whole job.
 *
 * @throws MpiError when the library is missing or belongs to another launcher, with the remedy
 */
export async function openCommunicator(env: NodeJS.ProcessEnv = process.env): Promise<Communicator> {
  const launch = readLaunch(env);
  if (!launch || launch.size === 1) return new SingleRank();
  return MpiCommunicator.join(await openLibrary(launch, env), launch);
}

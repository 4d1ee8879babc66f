// Runs the ranks of jobs on this machine under Open MPI and MPICH, which are fetched into the cache folder: that the
// collectives give the right bits, that the main thread is free meanwhile, and that a rank which fails or is killed ends
// the job with a message. Says how long sums take.
import { spawnSync } from 'node:child_process';
import { fetchMpi, mpiNames } from './lib/mpi.mjs';
import { bundleSource, importSource } from './lib/source.mjs';

/** A job that has not ended by then hangs. */
const HANGING_MS = 120_000;

/** What each scenario of `packages/mpi/src/testing/collectives.ts` must end with. */
const scenarios = [
  { name: 'results', passes: true },
  { name: 'overlap', passes: true },
  { name: 'speed', passes: true },
  { name: 'leave', passes: true },
  { name: 'error', passes: false, says: /this rank has failed on purpose/ },
  { name: 'kill', passes: false, says: /signal 9/ },
];

const { cacheDirectory } = await importSource('packages/kernels/src/node/index.ts');
const program = await bundleSource('packages/mpi/src/testing/collectives.ts');

/** Why the job did not end as it must; undefined when it did. */
function runJob(mpi, ranks, { name, passes, says }) {
  const args = [...mpi.args, '-n', String(ranks), process.execPath, program, name, String(ranks)];
  const options = { env: mpi.env, encoding: 'utf8', timeout: HANGING_MS, killSignal: 'SIGKILL' };
  const { status, stdout, stderr, error } = spawnSync(mpi.launcher, args, options);
  const output = `${stdout}${stderr}`;
  if (error) return `${error.message}\n${output}`;
  if ((status === 0) !== passes) return `ended with exit code ${status}\n${output}`;
  if (says && !says.test(output)) return `said nothing that matches ${says}\n${output}`;
  if (name === 'speed') console.log(stdout.trim());
  return undefined;
}

try {
  for (const name of mpiNames) {
    const mpi = await fetchMpi(cacheDirectory(), name);
    for (const ranks of [2, 4]) {
      for (const scenario of scenarios) {
        const problem = runJob(mpi, ranks, scenario);
        const what = `${mpi.title} ${mpi.version}, ${ranks} ranks, ${scenario.name}`;
        if (problem !== undefined) throw new Error(`${what}: ${problem}`);
        console.log(`[mpi] ${what}: passed`);
      }
    }
  }
} catch (error) {
  console.error(`[mpi] NOT PASSED: ${error.message}`);
  process.exitCode = 1;
}

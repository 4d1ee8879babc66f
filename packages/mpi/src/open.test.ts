import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLaunch } from './launch.js';
import { libraryCandidates } from './library.js';
import { openCommunicator } from './open.js';

describe('readLaunch', () => {
  it('knows the launchers by what they set', () => {
    expect(readLaunch({})).toBeUndefined();
    expect(readLaunch({ OMPI_COMM_WORLD_SIZE: '4' })).toEqual({ family: 'Open MPI', size: 4 });
    expect(readLaunch({ PMI_SIZE: '2', PMI_RANK: '1' })).toEqual({ family: 'MPICH', size: 2 });
    expect(readLaunch({ PMIX_RANK: '0', SLURM_STEP_NUM_TASKS: '8' })).toEqual({ family: undefined, size: 8 });
    expect(readLaunch({ SLURM_STEP_NUM_TASKS: '1' })).toBeUndefined();
  });

  it('refuses tasks of Slurm that would each do the whole work', () => {
    expect(() => readLaunch({ SLURM_STEP_NUM_TASKS: '8' })).toThrow(/srun has started 8 tasks .*--mpi=pmix/);
  });
});

describe('the library', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tubelet-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is looked for beside the mpirun on PATH when the linker does not know it', () => {
    for (const name of ['bin', 'lib64']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'bin', 'mpirun'), '');
    writeFileSync(join(folder, 'lib64', 'libmpi.so.40'), '');
    const candidates = libraryCandidates({ family: 'Open MPI' }, { PATH: join(folder, 'bin') });
    expect(candidates[0]).toBe('libmpi.so.40');
    expect(candidates.at(-1)).toBe(join(folder, 'lib64', 'libmpi.so.40'));
  });

  it('is the one that TUBELET_MPI_LIBRARY names, or an error that says what was tried and what to install', async () => {
    const path = join(folder, 'libmpi.so');
    writeFileSync(path, 'no library');
    const env = { OMPI_COMM_WORLD_SIZE: '2', TUBELET_MPI_LIBRARY: path };
    expect(libraryCandidates({ family: 'MPICH' }, env)).toEqual([path]);
    // In a process of its own: one that has opened a GPU before is refused.
    const { href } = new URL('./library.ts', import.meta.url);
    const program = `const { openLibrary } = await import('${href}');
      await openLibrary({ family: 'Open MPI' }, ${JSON.stringify(env)}).catch(({ message }) => console.log(message));`;
    const typescript = new URL('../../../scripts/typescript.mjs', import.meta.url).href;
    const words = ['--import', typescript, '--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    expect(stdout).toContain(path);
    expect(stdout).toContain('apt-get install openmpi-bin');
  });
});

it('needs no library for a process of its own', async () => {
  for (const env of [{}, { OMPI_COMM_WORLD_SIZE: '1' }]) {
    const alone = await openCommunicator(env);
    expect([alone.rank, alone.size]).toEqual([0, 1]);
    const values = Float32Array.of(1, 2);
    const sums = new Float32Array(2);
    await alone.sum(values, sums);
    expect(sums).toEqual(values);
    expect(await alone.gather({ a: 1 })).toEqual([{ a: 1 }]);
  }
});

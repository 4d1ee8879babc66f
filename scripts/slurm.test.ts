import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

/** What becomes of the job whose `srun` does this in the folder of its run. */
async function endOfJob(doing: string): Promise<{ exitCode: number; queuedAgain: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'tubelet-slurm-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [bin, run, queue] = [join(folder, 'bin'), join(folder, 'runs', 'job'), join(folder, 'queue')];
  for (const path of [bin, join(run, 'checkpoints'), join(folder, 'tubelet')])
    await mkdir(path, { recursive: true });
  await writeFile(join(run, 'checkpoints', 'step-00000004.safetensors'), '');
  const program = (name: string, text: string) =>
    writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await program('srun', `cd ${run} && ${doing}`);
  await program('scontrol', `echo "$@" > ${queue}`);
  const script = await readFile(new URL('../deploy/slurm.sh', import.meta.url), 'utf8');
  const env = { HOME: folder, SLURM_JOB_ID: '7', SLURM_JOB_NAME: 'job', PATH: `${bin}:${process.env.PATH}` };
  const args = ['-c', script.replace('/data/runs', join(folder, 'runs'))];
  const exitCode = await new Promise<number>((resolve) => {
    const child = execFile('bash', args, { env }, () => resolve(child.exitCode ?? -1));
  });
  const queuedAgain = existsSync(queue);
  if (queuedAgain) expect(await readFile(queue, 'utf8')).toBe('requeue 7\n');
  return { exitCode, queuedAgain };
}

const saved = 'touch checkpoints/step-00000008.safetensors';

it.skipIf(process.platform === 'win32').each([
  ['stopped with a checkpoint', `${saved}; echo '{"type":"stop"}' > log.jsonl`, 0, true],
  ['finished', `${saved}; echo '{"type":"end"}' > log.jsonl`, 0, false],
  ['failed behind a new checkpoint', `${saved}; exit 1`, 0, true],
  ['failed without one', 'exit 3', 3, false],
])('a Slurm job that has %s', async (_, doing, exitCode, queuedAgain) => {
  expect(await endOfJob(doing)).toEqual({ exitCode, queuedAgain });
});

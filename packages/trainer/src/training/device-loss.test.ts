import { DeviceLostError } from '@tubelet/kernels';
import { mkdir, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { checkpointDirectory, checkpointPath } from '../formats/checkpoint-folder.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { DeviceLosses, GpuLostError } from './device-loss.js';

const loss = new DeviceLostError('unknown', 'reset by the driver');

it('lets a GPU be opened again so many times in a row, and anew after each new checkpoint', async () => {
  const run = await temporaryFolder();
  await mkdir(checkpointDirectory(run));
  const losses = new DeviceLosses(run, 2);
  await losses.count(loss);
  await losses.count(loss);
  await writeFile(checkpointPath(run, 5), '');
  await losses.count(loss);
  await losses.count(loss);
  const error = await losses.count(loss).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GpuLostError);
  expect((error as Error).message).toMatch(/lost 3 times .*reset by the driver.*--resume/);
});

it('ends with the first loss where it may not be opened again', async () => {
  await expect(new DeviceLosses(await temporaryFolder(), 0).count(loss)).rejects.toThrow(GpuLostError);
});

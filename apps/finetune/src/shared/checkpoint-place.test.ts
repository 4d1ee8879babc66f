import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '@tubelet/trainer';
import { CheckpointCorruptError, checkpointPath, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import { contentOfStep } from '../../../../packages/trainer/src/testing/checkpoint-content.js';
import { temporaryFolder } from '../../../../packages/trainer/src/testing/temporary-folder.js';
import { bestCheckpointPath } from './best-epoch.js';
import { resolveCheckpoint } from './checkpoint-place.js';

const content = (step: number) => contentOfStep(step, 8);

describe('the place of a checkpoint', () => {
  it('is a file itself', async () => {
    const file = join(await temporaryFolder(), 'official.pth');
    writeFileSync(file, 'whatever it holds');
    expect(await resolveCheckpoint(file)).toBe(file);
  });

  it('is the newest sound checkpoint of a run, and damaged ones are told of', async () => {
    const run = await temporaryFolder();
    for (const step of [2, 10]) await saveCheckpoint(checkpointPath(run, step), content(step));
    await saveCheckpoint(bestCheckpointPath(run), content(4));
    expect(await resolveCheckpoint(run)).toBe(checkpointPath(run, 10));
    writeFileSync(checkpointPath(run, 11), 'cut short');
    const warnings: string[] = [];
    expect(await resolveCheckpoint(run, (message) => warnings.push(message))).toBe(checkpointPath(run, 10));
    expect(warnings).toEqual([expect.stringContaining('step-00000011.safetensors is damaged')]);
  });

  it('is the best checkpoint where a run keeps no other', async () => {
    const run = await temporaryFolder();
    await saveCheckpoint(bestCheckpointPath(run), content(4));
    expect(await resolveCheckpoint(run)).toBe(bestCheckpointPath(run));
  });

  it('is refused when all checkpoints of a run are damaged', async () => {
    const run = await temporaryFolder();
    mkdirSync(join(run, 'checkpoints'));
    writeFileSync(checkpointPath(run, 1), 'cut short');
    await expect(resolveCheckpoint(run, () => {})).rejects.toThrow(CheckpointCorruptError);
  });

  it('is refused with what is there instead', async () => {
    const folder = await temporaryFolder();
    const refused = (place: string) => expect(resolveCheckpoint(place)).rejects;
    await refused(join(folder, 'nowhere')).toThrow(UserError);
    await refused(join(folder, 'nowhere')).toThrow(/there is no .*nowhere\. Give the file/);
    await refused(folder).toThrow(/has no checkpoints: there is no step-\*/);
    writeFileSync(join(folder, 'official.pth'), '');
    await refused(folder).toThrow(/it is not a run, but it holds official\.pth/);
    await saveCheckpoint(checkpointPath(join(folder, 'fold-2'), 3), content(3));
    await refused(folder).toThrow(/it holds a run, .*fold-2\. Give that folder/);
  });
});

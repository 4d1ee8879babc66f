import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SingleRank } from '@tubelet/mpi';
import { expect, it } from 'vitest';
import { createRun, logPath } from '../run/run-folder.js';
import { readLog, type LogRecord } from '../run/run-log.js';
import { EXAMPLE_CONFIG } from '../testing/example-config.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { SkippedSteps, type SkippedStep } from './skipped-steps.js';

const STEP: SkippedStep = {
  position: { step: 11, epoch: 2, stepInEpoch: 3 },
  learningRate: 0.25,
  losses: { loss: NaN, 'loss/motion': 1.5 },
  lossScale: 1,
  batches: [
    {
      names: ['a.mp4', 'b.mp4'],
      sampleIndices: Uint32Array.of(4, 0),
      frameIndices: [
        [0, 2],
        [5, 7],
      ],
    },
    { names: ['c.mp4'], sampleIndices: Uint32Array.of(9), frameIndices: [[1, 3]] },
  ],
};

it('names the clips of a skipped step with all that decides over them, in a file that the log names', async () => {
  const run = await createRun(join(await temporaryFolder(), 'run'), EXAMPLE_CONFIG);
  const notes: string[] = [];
  const skipped = new SkippedSteps(new SingleRank(), run, 7, (note) => notes.push(note));
  await skipped.record(STEP);
  const path = join(run.directory, 'skipped', 'step-00000012.json');
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    ...{ step: 12, epoch: 2, stepInEpoch: 3, seed: 7, learningRate: 0.25, lossScale: 1 },
    losses: { loss: 'NaN', 'loss/motion': 1.5 },
    clips: [
      { rank: 0, batch: 0, sample: 4, name: 'a.mp4', frames: [0, 2] },
      { rank: 0, batch: 0, sample: 0, name: 'b.mp4', frames: [5, 7] },
      { rank: 0, batch: 1, sample: 9, name: 'c.mp4', frames: [1, 3] },
    ],
  });
  const records: LogRecord[] = [];
  for await (const record of readLog(logPath(run.directory))) records.push(record);
  expect(records).toEqual([
    {
      ...{ type: 'skipped-step', step: 12, file: 'skipped/step-00000012.json' },
      losses: { loss: 'NaN', 'loss/motion': 1.5 },
    },
  ]);
  expect(notes).toEqual([expect.stringContaining(path)]);
});

it('writes nothing into a run that another program has taken over', async () => {
  const taken = new Error('taken over');
  const lock = {
    requireHeld() {
      throw taken;
    },
    requireHeldLately: () => undefined,
  };
  const run = await createRun(join(await temporaryFolder(), 'run'), EXAMPLE_CONFIG, lock);
  const skipped = new SkippedSteps(new SingleRank(), run, 7, () => undefined);
  await expect(skipped.record(STEP)).rejects.toBe(taken);
  expect(existsSync(join(run.directory, 'skipped'))).toBe(false);
});

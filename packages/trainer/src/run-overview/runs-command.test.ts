import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { checkpointPath } from '../formats/checkpoint-folder.js';
import { UserError } from '../errors.js';
import { createRun } from '../run/run-folder.js';
import { RunLock } from '../run/run-lock.js';
import { EXAMPLE_CONFIG } from '../testing/example-config.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { runsCommand } from './runs-command.js';

/** Two runs, one of them a fold, beside a folder that is none. */
async function runs(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'nothing'));
  for (const [name, lr, end] of [
    ['first', 0.1, 'end'],
    ['folds/fold-1', 0.2, 'error'],
  ] as const) {
    const config = { ...EXAMPLE_CONFIG, settings: { lr, seed: 0, stepsPerEpoch: 2 } };
    const run = await createRun(join(folder, name), config);
    run.log.append({ type: 'start', step: 0, totalSteps: 3 });
    for (let step = 1; step <= 3; step++) {
      const metrics = { loss: lr * (4 - step) };
      run.log.append({ type: 'step', step, epoch: 0, durationMs: 1000, clipsPerSecond: 8, metrics });
    }
    run.log.append({ type: 'validation', step: 3, epoch: 0, metrics: { 'validation/war': lr } });
    run.log.append({ type: end, step: 3 });
    run.close();
  }
  return folder;
}

async function say(...words: string[]): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await runsCommand().exitOverride().parseAsync(words, { from: 'user' });
    return log.mock.calls.flat().join('\n');
  } finally {
    log.mockRestore();
  }
}

it('lists the runs in a folder, folds too', async () => {
  const lines = (await say('list', await runs())).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^run +program +begun +state +steps +time +clips\/s +loss +best WAR$/);
  expect(lines[1]).toMatch(/first .* finished +3\/3 +3s +8 +0\.1 +10\.00 %$/);
  expect(lines[2]).toMatch(/folds\/fold-1 .* failed +3\/3 +3s +8 +0\.2 +20\.00 %$/);
});

it('lists what it can read beside damaged runs and folders out of reach', async () => {
  const folder = await runs();
  await writeFile(join(folder, 'folds', 'fold-1', 'config.json'), '{');
  await mkdir(join(folder, 'locked'), { mode: 0 });
  onTestFinished(() => chmod(join(folder, 'locked'), 0o700));
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  onTestFinished(() => log.mockRestore());
  const listing = runsCommand().parseAsync(['list', folder], { from: 'user' });
  await expect(listing).rejects.toThrow(/^not listed, .*:\n.*fold-1: cannot read .*config\.json/);
  await expect(listing).rejects.toThrow(UserError);
  expect(log.mock.calls.flat().join('\n').split('\n')).toHaveLength(2);
});

it('shows one with its settings and curves', async () => {
  const text = await say('show', join(await runs(), 'first'));
  expect(text).toMatch(/^state +finished, 3\/3 steps$/m);
  expect(text).toMatch(/^loss +last 0\.1, lowest 0\.1 \(step 3\), highest 0\.3 \(step 1\)$/m);
  expect(text).toMatch(/^ {2}lr +0\.1$/m);
});

it('shows the checkpoints that are kept, and of which epochs they are', async () => {
  const run = join(await runs(), 'first');
  expect(await say('show', run)).toMatch(/^checkpoints +none$/m);
  for (const step of [2, 3]) await writeFile(checkpointPath(run, step), '');
  expect(await say('show', run)).toMatch(/^checkpoints +after step 3, 2 \(epoch 1\)$/m);
});

it('tells a run that goes on from one that was killed', async () => {
  const folder = await runs();
  const directory = join(folder, 'open');
  const run = await createRun(directory, EXAMPLE_CONFIG);
  run.log.append({ type: 'start', step: 0, totalSteps: 3 });
  run.close();
  const state = async () => /^state +(.*), 0\/3 steps$/m.exec(await say('show', directory))?.[1];
  expect(await state()).toBe('interrupted');
  const lock = new RunLock(directory, () => undefined);
  await lock.take();
  expect(await state()).toBe('running');
  lock.release();
  expect(await state()).toBe('interrupted');
  await writeFile(join(directory, 'lock.json'), '{');
  expect(await state(), 'a lock that does not say whose').toBe('not ended');
  await rm(directory, { recursive: true });
});

it('compares them in what differs', async () => {
  const folder = await runs();
  const text = await say('compare', join(folder, 'first'), join(folder, 'folds', 'fold-1'));
  expect(text).toMatch(/^lr +0\.1 +0\.2$/m);
  expect(text).toMatch(/^loss, last +0\.1 +0\.2$/m);
  expect(text).toMatch(/^state +finished +failed$/m);
  expect(text).not.toMatch(/^seed/m);
});

it('says where there are none', async () => {
  const folder = await temporaryFolder();
  await expect(say('list', folder)).rejects.toThrow(/holds no runs/);
  await expect(say('list', join(folder, 'gone'))).rejects.toThrow(/there is no such folder/);
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(say('list', file)).rejects.toThrow(
    /cannot read the folder .*file: .*Name one that holds runs/,
  );
  await expect(say('show', folder)).rejects.toThrow(/holds no run/);
});

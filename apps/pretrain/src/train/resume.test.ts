import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { writeDataSet, type DataSet } from '../testing/data-set.js';
import {
  checkpointsOf,
  fail,
  finalDigest,
  lastStep,
  options,
  sha256,
  signalAfterStep,
  start,
  stepsOf,
  succeed,
  TINY_MODEL,
  type Ended,
} from '../testing/program.js';

type Changes = Parameters<typeof options>[0];

// Two of five entries are bad; each entry is there twice in an epoch.
const STEPS = 25;
const SETTINGS = {
  ...TINY_MODEL,
  'clips-per-video': 2,
  'batch-size': 2,
  epochs: 5,
  'warmup-epochs': 1,
  lr: 0.1,
  workers: 1,
};
const ACCUMULATED = { accumulate: 2, epochs: 6, 'save-every': 4 }; // 5 batches: 2 steps an epoch, one batch left over
const ACCUMULATED_STEPS = 12;
const stepsIn = ({ accumulate = 1 }: Changes) => (accumulate === 1 ? STEPS : ACCUMULATED_STEPS);

let folder = '';
let data: DataSet;
let whole = '';
const at = (...names: string[]) => join(folder, ...names);
const command = (out: string, changes: Changes = {}) => [
  'pretrain',
  data.folder,
  ...options({ ...SETTINGS, 'save-every': 6, keep: 2, out: at(out), ...changes }),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-resume-'));
  data = await writeDataSet(at('videos'));
  await succeed(command('whole'));
  whole = finalDigest(at('whole'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A whole number from `least` to `most`. */
function random(least: number, most: number): number {
  return least + Math.floor(Math.random() * (most - least + 1));
}

/**
 * Sends `signal` to a run as soon as it has logged `step` steps. A run that ends before, since the machine was busy
 * with something else, proves nothing: it is begun again, and stopped earlier.
 */
async function interrupt(
  out: string,
  step: number,
  signal: NodeJS.Signals,
  changes: Changes = {},
): Promise<Ended> {
  const before = at(`${out}-before`);
  if (existsSync(at(out))) await cp(at(out), before, { recursive: true });
  for (let attempt = 0, after = step; ; attempt++, after = Math.ceil(after / 2)) {
    const ended = await signalAfterStep(start(command(out, changes)), at(out), after, signal);
    if (lastStep(at(out)) < stepsIn(changes) || attempt === 5) return ended;
    await rm(at(out), { recursive: true });
    if (existsSync(before)) await cp(before, at(out), { recursive: true });
  }
}

/** Kills a run as soon as it has logged `step` steps; says how far it came. */
async function kill(out: string, step: number, changes: Changes = {}): Promise<number> {
  const { signal, stderr } = await interrupt(out, step, 'SIGKILL', changes);
  expect(signal, `to be killed after step ${step}: ${stderr}`).toBe('SIGKILL');
  return lastStep(at(out));
}

/** Every step has been logged once, with the same numbers as in the run that nothing happened to. */
function expectSameLog(out: string, reference: string): void {
  expect(stepsOf(at(out)).map(({ step, metrics }) => ({ step, metrics }))).toEqual(
    stepsOf(at(reference)).map(({ step, metrics }) => ({ step, metrics })),
  );
}

describe('a run killed with SIGKILL and resumed', () => {
  it('ends with the same bytes, wherever it was killed', async () => {
    const first = await kill('killed', random(1, 10));
    const second = await kill('killed', first + random(1, 7), { resume: true });
    const saved = existsSync(at('killed', 'checkpoints')) && checkpointsOf(at('killed')).length > 0;
    const { stderr } = await succeed(command('killed', { resume: true, workers: 3 }));
    expect(finalDigest(at('killed')), `killed after steps ${first} and ${second}`).toBe(whole);
    expectSameLog('killed', 'whole');
    if (saved) expect(stderr).toMatch(/resuming after step \d+ from .*step-\d+\.safetensors/);
    expect(checkpointsOf(at('killed'))).toHaveLength(2);
    expect((await readdir(at('killed', 'checkpoints'))).filter((name) => name.endsWith('.partial'))).toEqual(
      [],
    );
  });

  it('begins anew where there was no checkpoint yet', async () => {
    await kill('early', 1, { 'save-every': 1000 });
    const { stderr } = await succeed(command('early', { resume: true, 'save-every': 1000 }));
    expect(stderr).toContain('has no checkpoint yet');
    expect(finalDigest(at('early'))).toBe(whole);
    expectSameLog('early', 'whole');
  });

  it('does so with accumulated gradients too', async () => {
    await succeed(command('accumulated', ACCUMULATED));
    const step = await kill('accumulated-killed', random(1, 7), ACCUMULATED);
    await succeed(command('accumulated-killed', { ...ACCUMULATED, resume: true }));
    expect(lastStep(at('accumulated'))).toBe(ACCUMULATED_STEPS);
    expect(finalDigest(at('accumulated-killed')), `killed after step ${step}`).toBe(
      finalDigest(at('accumulated')),
    );
    expectSameLog('accumulated-killed', 'accumulated');
  });
});

describe('a run with --recompute', () => {
  it('gives the bytes of one without, resumed with or without it', async () => {
    await succeed(command('again', { recompute: true, 'stop-after': 13 }));
    expect(stepsOf(at('again'))).toHaveLength(13);
    const { settings } = JSON.parse(await readFile(at('again', 'config.json'), 'utf8')) as {
      settings: Record<string, unknown>;
    };
    expect(settings.recompute).toBe(true);
    await succeed(command('again', { resume: true, 'stop-after': 20 }));
    await succeed(command('again', { resume: true, recompute: true }));
    expect(finalDigest(at('again'))).toBe(whole);
    expectSameLog('again', 'whole');
  });
});

describe('a run that is stopped', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s writes a checkpoint, and goes on from it',
    async (signal) => {
      const out = `stopped-${signal}`;
      const ended = await interrupt(out, random(1, 12), signal);
      expect(ended, ended.stderr).toMatchObject({ exitCode: 0, signal: null });
      const steps = lastStep(at(out));
      expect(steps).toBeLessThan(STEPS);
      expect(ended.stdout).toContain(`stopped after ${steps} of ${STEPS} steps`);
      expect(ended.stdout).toContain('--resume');
      expect(checkpointsOf(at(out)).at(-1)).toContain(`step-${String(steps).padStart(8, '0')}`);
      await succeed(command(out, { resume: true }));
      expect(finalDigest(at(out))).toBe(whole);
      expectSameLog(out, 'whole');
    },
  );

  it('by --stop-after does the same', async () => {
    const { stdout } = await succeed(command('partly', { 'stop-after': 15 }));
    expect(stdout).toContain(`stopped after 15 of ${STEPS} steps`);
    expect(stdout).toContain('with --resume and without --stop-after goes on');
    expect(checkpointsOf(at('partly')).map((path) => /\d{8}/.exec(path)![0])).toEqual([
      '00000012',
      '00000015',
    ]);
  });
});

// From here on, each test resumes a copy of the run that stopped after step 15, with checkpoints of 12 and 15.
async function copyOfPartly(out: string): Promise<string[]> {
  await cp(at('partly'), at(out), { recursive: true });
  return checkpointsOf(at(out));
}

describe('a damaged checkpoint', () => {
  it('is passed over for the one before it, and does not crowd out those that follow', async () => {
    const [, newest] = await copyOfPartly('cut');
    await truncate(newest!, 100_000);
    const { stderr } = await succeed(command('cut', { resume: true, keep: 1, 'stop-after': 13 }));
    expect(stderr).toMatch(
      /step-00000015\.safetensors is damaged \(cut short.*trying the checkpoint before it/,
    );
    expect(stderr).toContain('resuming after step 12');
    expect((await readdir(at('cut', 'checkpoints'))).sort()).toEqual([
      'step-00000013.safetensors',
      'step-00000015.safetensors.damaged',
    ]);
    await succeed(command('cut', { resume: true }));
    expect(finalDigest(at('cut'))).toBe(whole);
    expectSameLog('cut', 'whole');
  });

  it('is an error where there is no other', async () => {
    for (const path of await copyOfPartly('ruined')) await truncate(path, 100_000);
    const message = await fail(command('ruined', { resume: true }), 1);
    expect(message).toMatch(/error: .*step-00000015\.safetensors is not a usable checkpoint: cut short/);
    expect(lastStep(at('ruined'))).toBe(15);
  });

  it('is named by reconstruct', async () => {
    const [, newest] = await copyOfPartly('shown');
    await truncate(newest!, 100_000);
    const settings = options({ checkpoint: newest!, out: at('picture.png') });
    expect(await fail(['reconstruct', data.folder, ...settings], 1)).toContain(`${newest} is not a usable`);
  });
});

describe('a run resumed with other settings', () => {
  it.each<[string, Changes, RegExp]>([
    ['another model size', { dim: 64 }, /dim was 32 and is now 64/],
    ['another seed', { seed: 3 }, /seed was 0 and is now 3/],
    ['another precision', { precision: 'f16' }, /precision was "f32" and is now "f16"/],
    ['a setting it did not have', { 'segment-seconds': 1 }, /segmentSeconds was null and is now 1/],
  ])('%s is refused with the setting named', async (_, changes, message) => {
    const checkpoints = checkpointsOf(at('partly')).map(sha256);
    expect(await fail(command('partly', { ...changes, resume: true }), 1)).toMatch(message);
    expect(checkpointsOf(at('partly')).map(sha256)).toEqual(checkpoints);
  });

  it('other videos are too', async () => {
    const more = join(data.folder, 'more.mp4');
    await writeFile(more, '');
    onTestFinished(() => rm(more));
    const message = await fail(command('partly', { resume: true }), 1);
    expect(message).toMatch(/videos was "5 videos, \w+" and is now "6 videos, \w+"/);
  });
});

describe('a checkpoint that cannot be written', () => {
  it('leaves the earlier ones, from which the run goes on later', async () => {
    const before = (await copyOfPartly('full')).map(sha256);
    // The device that is always full takes the place of the file being written.
    await symlink('/dev/full', at('full', 'checkpoints', 'step-00000018.safetensors.partial'));
    const message = await fail(command('full', { resume: true }), 1);
    expect(message).toMatch(
      /cannot write .*step-00000018\.safetensors: no space left on the device \(ENOSPC\)/,
    );
    expect(message).toContain('Earlier checkpoints are untouched');
    expect(checkpointsOf(at('full')).map(sha256)).toEqual(before);
    await succeed(command('full', { resume: true }));
    expect(finalDigest(at('full'))).toBe(whole);
    expectSameLog('full', 'whole');
  });

  const run = promisify(execFile);
  it('does so on a disk that is full, where one may be mounted', async () => {
    await mkdir(at('disk'));
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', at('disk')]).then(
      () => true,
      () => false,
    );
    // Without the right to mount, the test above stands for this one.
    if (!mounted) return;
    onTestFinished(async () => void (await run('umount', ['-l', at('disk')])));
    const message = await fail(command('disk'), 1);
    expect(message).toMatch(/no space left on the device \(ENOSPC\) \(needed \d+ bytes, free \d+ bytes\)/);
    expect((await readdir(at('disk', 'checkpoints'))).sort()).toEqual(['step-00000006.safetensors']);
    await run('mount', ['-o', 'remount,size=20m', at('disk')]);
    await succeed(command('disk', { resume: true }));
    expect(finalDigest(at('disk'))).toBe(whole);
    expectSameLog('disk', 'whole');
  });
});

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadCheckpoint } from '@tubelet/trainer/formats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findVideos } from '../shared/sources.js';
import { writeDataSet, type DataSet } from '../testing/data-set.js';
import { checkpointsOf, fail, options, start, stepsOf, succeed, TINY_MODEL } from '../testing/program.js';
import { trainedClips } from '../train/training-state.js';

let folder = '';
let data: DataSet;
const at = (...names: string[]) => join(folder, ...names);
const command = (out: string, changes: Parameters<typeof options>[0] = {}) => [
  'prepare',
  data.folder,
  ...options({ 'image-size': 32, 'shard-size': '8KiB', workers: 1, out: at(out), ...changes }),
];
const contents = (out: string) =>
  Object.fromEntries(readdirSync(at(out)).map((name) => [name, readFileSync(at(out, name), 'base64')]));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-prepare-'));
  data = await writeDataSet(at('videos'));
});
afterAll(() => rm(folder, { recursive: true }));

it('estimates, makes shards, and says what it left out and why', async () => {
  const { stdout, stderr } = await succeed(command('whole'));
  expect(stderr).toMatch(/from 2 of 5 sources, 1 of which cannot be used: about [\d.]+ KiB, in \d+s/);
  expect(stdout).toMatch(/^3 clips in \d+ shards, [\d.]+ KiB in /);
  const rejects = readFileSync(at('whole', 'rejects.tsv'), 'utf8').trim().split('\n');
  expect(rejects).toHaveLength(3);
  for (const line of rejects) expect(line).toMatch(/^\/.+\t.+/);
});

it('ends with the same shards after a death on the way', async () => {
  const { child, ended } = start(command('killed'));
  const index = at('killed', 'index.jsonl');
  // After the settings, as soon as the first source is done.
  while (child.exitCode === null && !(existsSync(index) && statSync(index).size > 400)) await delay(2);
  child.kill('SIGKILL');
  const { signal } = await ended;
  // A program that is too quick for its killer has nothing to go on with.
  if (signal === 'SIGKILL' && !readFileSync(index, 'utf8').includes('"complete"')) {
    await succeed(command('killed', { resume: true }));
  }
  expect(contents('killed')).toEqual(contents('whole'));
});

it('writes nothing with --dry-run', async () => {
  await succeed(command('dry', { 'dry-run': true }));
  expect(existsSync(at('dry'))).toBe(false);
});

it('makes shards that train reads', async () => {
  const settings = {
    ...TINY_MODEL,
    'batch-size': 1,
    'warmup-epochs': 0,
    epochs: 2,
    crop: 'none',
    workers: 1,
  };
  await succeed(['pretrain', at('whole'), ...options({ ...settings, out: at('run') })]);
  expect(stepsOf(at('run'))).toHaveLength(6);
  // What `reconstruct` shows is cut as `prepare` cut the clips.
  const newest = checkpointsOf(at('run')).at(-1)!;
  expect(trainedClips(newest, await loadCheckpoint(newest))?.crop).toBe('centre');
});

it('makes shards that a recipe with the crop of VoxCeleb2 reads, and says that they are cut already', async () => {
  const found = await findVideos([at('whole')], { crop: 'voxceleb' }, new Set(['crop']));
  expect(found).toMatchObject({ crop: 'none', shownCrop: 'centre', entries: { length: 3 } });
  expect(found.notes).toEqual([expect.stringMatching(/^crop none in place of voxceleb: /)]);
  const both = findVideos([at('whole'), data.folder], { crop: 'voxceleb' }, new Set(['crop']));
  await expect(both).rejects.toThrow(/--crop: "voxceleb".*shards alone, or no shards/);
});

it('names what cannot be used', async () => {
  expect(await fail(command('odd', { 'image-size': 31 }), 2)).toMatch(/--image-size: 31/);
  expect(await fail(command('whole'), 1)).toMatch(/whole is not empty/);
});

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecoderPool, listVideos, openDataset, toRgb } from '@tubelet/video';
import { makeClip } from './clip.js';
import { renderClip } from './render.js';
// Test code of a neighbour, which is no part of what its package offers.
import { runInProcess } from '../../../packages/trainer/src/testing/run-in-process.js';
import { facesCommand } from './faces-command.js';
import { bundleProgram, type Program } from './testing/program.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const SIZE = 32;
const FRAMES = 8;
let program: Program;
let parent = '';
const at = (...names: string[]) => join(parent, ...names);
const SMALL = ['--subjects', '2', '--clips-per-class', '1', '--folds', '2', '--size', `${SIZE}`];
const small = (out: string, ...more: string[]) => [
  ...['--out', at(out), ...SMALL, '--frames', `${FRAMES}`, '--workers', '2'],
  ...more,
];

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'tubelet-faces-'));
  program = await bundleProgram();
});
afterAll(() => {
  program.remove();
  rmSync(parent, { recursive: true, force: true });
});

/** Runs the command within this process, which draws no data sets: the script of its threads is in the bundle. */
const runHere = (args: readonly string[]) => runInProcess([facesCommand()], ['faces', ...args]);

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('faces', () => {
  it('makes a data set that opens as one, and whose clips decode to what was drawn', async () => {
    const { exitCode, stderr, stdout } = await program.run(small('set', '--seed', '3'));
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/14 clips of 2 drawn people, 2 folds: made in/);

    const dataset = await openDataset({ name: 'csv', root: at('set', 'faces.csv') });
    expect(dataset.classes).toEqual(['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear']);
    expect(dataset.folds).toBe(2);
    const { train, test } = dataset.split(1);
    expect([train.length, test.length]).toEqual([7, 7]);
    const people = (videos: typeof train) => new Set(videos.map(({ subject }) => subject));
    expect([...people(train)].filter((one) => people(test).has(one))).toEqual([]);
    const listed = await listVideos(at('set', 'train-fold-1.txt'));
    expect(listed.entries.map(({ path }) => path)).toEqual(train.map(({ path }) => path));
    expect((await listVideos(at('set', 'clips'))).entries).toHaveLength(14);
    expect(readFileSync(at('set', 'about.json'), 'utf8')).toMatch(/not real data/);

    const pool = await DecoderPool.open({ workers: 1 });
    try {
      const path = at('set', 'clips', 'person-02', 'disgust-1.mp4');
      const info = await pool.probe(path);
      expect(info).toMatchObject({ frameCount: FRAMES, width: SIZE, height: SIZE });
      expect(info.durationSeconds).toBeCloseTo(FRAMES / 16, 3);
      const decoded = toRgb(await pool.readRange(info, { size: SIZE, crop: 'none' }), SIZE);
      const key = { seed: 3, subject: 1, clip: (7 + 5) * 100, expression: 'disgust', variety: 0.3 } as const;
      const drawn = await renderClip(makeClip(key, FRAMES), SIZE);
      const difference = drawn.reduce((sum, value, i) => sum + Math.abs(value - (decoded[i] as number)), 0);
      // Half of the colours' resolution is lost at 32 pixels more than anything else.
      expect(difference / drawn.length).toBeLessThan(8);
    } finally {
      await pool.close();
    }
  });

  it('draws nothing where it is there already', async () => {
    const { exitCode, stdout } = await runHere(small('set', '--seed', '3'));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/was there already/);
    expect(stdout).not.toMatch(/drawn {2}/);
  });

  it('leaves nothing that looks whole when it is killed, and then writes the same bytes with one thread', async () => {
    const child = program.start(small('killed', '--seed', '3'));
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(at('killed'))).toBe(false);
    expect(existsSync(at('killed.partial'))).toBe(true);
    expect(existsSync(at('killed.partial', 'about.json'))).toBe(false);
    const again = await program.run(small('killed', '--seed', '3', '--workers', '1'));
    expect(again.exitCode, again.stderr).toBe(0);
    expect(existsSync(at('killed.partial'))).toBe(false);
    const names = ['faces.csv', 'about.json', 'clips/person-01/fear-1.mp4', 'clips/person-02/happy-1.mp4'];
    for (const name of names) expect(digest(at('killed', name)), name).toBe(digest(at('set', name)));
  });

  it('draws a contact sheet', async () => {
    const path = at('sheets', 'sheet.png');
    const { exitCode, stderr } = await runHere(['--sheet', path, '--size', '32', '--frames', '8']);
    expect(exitCode, stderr).toBe(0);
    expect(await sharp(path).metadata()).toMatchObject({
      format: 'png',
      width: 8 * 34 - 2,
      height: 7 * 34 - 2,
    });
  });

  it.each([
    [['--size', '33'], 2, /--size: 33 cannot be used; expected an even number/],
    [['--folds', '5', '--subjects', '4'], 2, /--folds: 5 .* 4 people/],
    [['--subjects', '1'], 2, /--subjects/],
    [['--out', here], 1, /holds something other/],
    [['--out', join(fileURLToPath(import.meta.url), 'below')], 1, /below cannot be written: E(EXIST|NOTDIR)/],
    [['--sheet', here, '--size', '16', '--frames', '2'], 1, /cannot be written: EISDIR/],
  ])('refuses %j', async (args, exitCode, message) => {
    const ended = await runHere(args);
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/defect|^ {4}at /m);
  });
});

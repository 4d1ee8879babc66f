import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError, UserError, type Counter } from '@tubelet/trainer';
import type { DatasetCheck, FaceSquare } from '@tubelet/video';
import { editFile } from '../../../../packages/video/src/datasets/testing/edit-file.js';
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { detectorOf, faceIn } from '../../../../packages/video/src/faces/testing/planted-faces.js';
import { checkOptions, dataCheck, type DataCheckOptions } from './data-check.js';
import { dataCommand } from './data-command.js';
import { dataShow, showOptions, type DataShowOptions } from './data-show.js';
import { collectingTerminal } from '../testing/collecting-terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-data-'));
const at = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await writeMiniature('csv', at('sound'), { size: 160 });
  await writeMiniature('csv', at('faulty'), { size: 160 });
  for (const person of [1, 2, 3, 4, 5, 6])
    rmSync(at('faulty/clips', `person${person}-smile`), { recursive: true });
  writeFileSync(at('faulty/clips/person1-frown/00001.jpg'), 'no image');
  await writeMiniature('dfew', at('dfew'), { size: 160 });
  await writeMiniature('mafw', at('mafw'), { size: 16 });
  await writeMiniature('mafw', at('broken'), { size: 16 });
  rmSync(at('broken/split/single/no_caption/set_2/test.txt'));
});

/** A counter that keeps what it is told. */
function collectingCounter(): Counter & { readonly updates: [number, number][]; stopped: boolean } {
  const updates: [number, number][] = [];
  return {
    updates,
    stopped: false,
    update: (done, total) => void updates.push([done, total]),
    note: () => undefined,
    stop() {
      this.stopped = true;
    },
  };
}

/** Runs a check; `error` is what it ends with, if anything. */
async function check(options: DataCheckOptions, face?: FaceSquare) {
  const io = collectingTerminal();
  const counter = collectingCounter();
  const detector = detectorOf(() => (face === undefined ? [] : [faceIn(face)]));
  const error = await dataCheck(options, io, counter, () => Promise.resolve(detector)).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { error, text: io.written.join(''), notes: io.notes, counter };
}

describe('data check', () => {
  it('ends well for a sound data set, and says what is in it', async () => {
    const { error, text, counter } = await check({ data: 'csv', root: at('sound/videos.csv'), fold: 'all' });
    expect(error).toBeUndefined();
    expect(text).toContain(`CSV in ${at('sound/videos.csv')}: 18 clips`);
    expect(text).toMatch(/^fold, part +clips +subjects +frown +neutral +smile$/m);
    expect(text).toMatch(/^1 train +12 +4 +4 +4 +4$/m);
    expect(text).toMatch(/^3 test +6 +2 +2 +2 +2$/m);
    expect(text).toContain('frames of a clip: 2 to 2, half of the clips 2 or more');
    expect(text).toMatch(/^ {2}160×160 +18 {2}such as clips\/person/m);
    expect(text).toMatch(/^0 errors, 0 warnings, 18 notes$/m);
    expect(counter).toMatchObject({ stopped: true });
    expect(counter.updates.at(-1)).toEqual([18, 18]);
  });

  it('ends with an error otherwise, shows a few findings of each kind, and writes all of them to a file', async () => {
    const json = at('reports', 'check.json');
    const options = { data: 'csv', root: at('faulty/videos.csv'), fold: 'all', json } as const;
    const { error, text, notes } = await check(options);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^this copy of CSV is not as it should be: 7 errors, /) as unknown,
    });
    expect(text).toMatch(/^ERROR {2}clips that are listed but not there: 6$/m);
    expect(text.match(/person\d-smile: there is no such clip/g)).toHaveLength(5);
    expect(text).toMatch(/^ {2}… and 1 more$/m);
    expect(text).toMatch(
      /^ERROR {2}clips that cannot be decoded: 1\n {2}videos\.csv:2, clips\/person1-frown: .*\n {2}→ /m,
    );
    expect(notes).toEqual([`wrote ${json}`]);
    const written = JSON.parse(readFileSync(json, 'utf8')) as DatasetCheck & { counts: object };
    expect(written.counts).toMatchObject({ error: 7 });
    expect(written.findings.filter(({ kind }) => kind === 'missing-clip')).toHaveLength(6);
    expect(written).toMatchObject({
      name: 'csv',
      quick: false,
      folds: [{ fold: 1 }, { fold: 2 }, { fold: 3 }],
    });
  });

  it('opens no images when it is quick', async () => {
    const { text } = await check({ data: 'csv', root: at('faulty/videos.csv'), fold: 2, quick: true });
    expect(text).not.toContain('cannot be decoded');
    expect(text).toContain('Images and videos were not opened (--quick).');
    expect(text).not.toMatch(/^[13] train/m);
  });

  it('compares faces with those that data faces cuts', async () => {
    const options = { data: 'csv', root: at('sound/videos.csv'), fold: 'all', faces: true } as const;
    const cut = await check(options, { x: 80, y: 80, side: 160, roll: 0 });
    expect(cut.text).toMatch(
      /^edge of the face with its margin, over the shorter side +1\.00 +1\.00 +1\.00 +1$/m,
    );
    expect(cut.text).toMatch(/^0 errors, 0 warnings, /m);
    const whole = await check(options, { x: 40, y: 60, side: 40, roll: 0 });
    expect(whole.text).toContain('takes 25 % of the shorter side: these are not face crops');
    const { text } = await check({ ...options, faces: false });
    expect(text).toContain('Size and place of faces were not compared: --faces does.');
  });

  it('holds counts to the published ones', async () => {
    const { error, text } = await check({ data: 'dfew', root: at('dfew'), fold: 1 });
    expect(error).toMatchObject({ exitCode: 1 });
    expect(text).toMatch(/^1 train +28 +9,356 +4/m);
    expect(text).toContain('  fold 1, test: clips: 7 instead of 2,341: 2,334 too few');
  });

  it('says which folds could not be read, and why', async () => {
    const { error, text } = await check({ data: 'mafw', root: at('broken'), fold: 'all' });
    expect(error).toBeInstanceOf(UserError);
    expect(text).toContain('Fold 2 was not checked further: mend what is listed below, then check again.');
    expect(text).toMatch(/set_2\/test\.txt: there is no such file/);
    expect(text).toMatch(/^5 test +11 +1,831 /m);
  });

  it('tells what is expected where there is no data set', async () => {
    const { error, text } = await check({ data: 'ravdess', root: at('nowhere'), fold: 'all' });
    expect(error).toMatchObject({ exitCode: 1 });
    expect(text).toContain(`RAVDESS in ${at('nowhere')}: 0 clips`);
    expect(text).toContain('Folds 1, 2, 3, 4, 5, 6 were not checked: mend what is listed below');
    expect(text).toMatch(/nowhere: there is no such folder\n {2}→ Give the folder of RAVDESS, which holds /);
  });

  it.each([
    [{ fold: 9 }, /^--fold: 9 cannot be used; expected 1 to 3, or all/],
    [{ json: '/dev/null/check.json' }, /^--json: /],
    [{ data: 'dfew', root: at('dfew'), classesFile: 'c.txt' }, /^--classes-file: "c\.txt" cannot be used/],
  ] satisfies [Partial<DataCheckOptions>, RegExp][])('refuses %j', async (changes, message) => {
    const { error } = await check({ data: 'csv', root: at('sound/videos.csv'), fold: 'all', ...changes });
    expect(error).toBeInstanceOf(OptionError);
    expect((error as Error).message).toMatch(message);
  });
});

async function show(options: DataShowOptions) {
  const io = collectingTerminal();
  await dataShow(options, io);
  return { text: io.written.join(''), notes: io.notes };
}

describe('data show', () => {
  it('prints counts, shares and bars for each part of each fold, and of all clips', async () => {
    const root = at('uneven/videos.csv');
    await writeMiniature('csv', at('uneven'));
    editFile(root, (text) => text.replace(/(person1-neutral),neutral/, '$1,smile'));
    const { text, notes } = await show({ data: 'csv', root, fold: 'all' });
    const tables = text.trimEnd().split('\n\n');
    expect(tables.map((table) => table.split(' ', 1)[0])).toEqual(['CSV', 'CSV,', 'CSV,', 'CSV,']);
    expect(tables[0]!.split('\n').map((line) => line.trimEnd())).toEqual([
      expect.stringMatching(/^CSV +all clips$/),
      expect.stringMatching(/^frown +6 +33\.3 % +█{20}▋$/),
      expect.stringMatching(/^neutral +5 +27\.8 % +█{17}▏$/),
      expect.stringMatching(/^smile +7 +38\.9 % +█{24}$/),
      expect.stringMatching(/^ +18$/),
    ]);
    expect(tables[1]).toMatch(/^CSV, fold 1 +train +test\n/);
    // Shares of test are half as large again as the largest of train.
    expect(tables[1]).toMatch(/^smile +4 +33\.3 % +█{16} +3 +50\.0 % +█{24}$/m);
    expect(notes).toEqual([]);
  });

  it('draws the same as SVG and PNG', async () => {
    const { notes } = await show({ data: 'mafw', root: at('mafw'), fold: 'all', out: at('pictures') });
    const names = ['labels', ...[1, 2, 3, 4, 5].map((fold) => `labels-fold-${fold}`)];
    expect(notes).toHaveLength(12);
    for (const name of names) {
      const svg = readFileSync(at('pictures', `${name}.svg`), 'utf8');
      expect(svg).toMatch(/^<svg[^]*disappointment/);
      expect(
        readFileSync(at('pictures', `${name}.png`))
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
    }
    expect(readFileSync(at('pictures/labels-fold-3.svg'), 'utf8')).toMatch(
      /MAFW, fold 3[^]*train: 44[^]*test: 11/,
    );
    expect(readFileSync(at('pictures/labels.svg'), 'utf8')).toContain('all clips: 55');
  });

  it('shows one fold of a copy that has no other', async () => {
    const { text } = await show({ data: 'mafw', root: at('broken'), fold: 1, out: at('one') });
    expect(text).toMatch(/^MAFW, fold 1 /);
    expect(existsSync(at('one/labels-fold-1.png'))).toBe(true);
    await expect(show({ data: 'mafw', root: at('broken'), fold: 'all' })).rejects.toThrow(/set_2\/test\.txt/);
  });
});

describe('the command line', () => {
  /** Parses without running anything. */
  async function parse(...words: string[]): Promise<{ name: unknown; options: object }> {
    const command = dataCommand();
    let parsed: { name: unknown; options: object } | undefined;
    for (const one of command.commands) {
      one
        .exitOverride()
        .configureOutput({ writeErr: () => undefined })
        .action((name: unknown) => {
          const { options } = one.name() === 'check' ? checkOptions.read(one) : showOptions.read(one);
          parsed = { name, options };
        });
    }
    await command.parseAsync(words, { from: 'user' });
    return parsed!;
  }

  it('has a name, a folder, and all folds unless one is named', async () => {
    expect(await parse('check', 'ravdess', '--root', 'r', '--quick')).toEqual({
      name: 'ravdess',
      options: { root: 'r', fold: 'all', quick: true, faces: false, debug: false },
    });
    expect(
      await parse('show', 'csv', '--root', 'r', '--fold', '2', '--out', 'o', '--classes-file', 'c'),
    ).toEqual({
      name: 'csv',
      options: { root: 'r', fold: 2, out: 'o', classesFile: 'c', debug: false },
    });
  });

  it('refuses unknown data sets and folds', async () => {
    await expect(parse('check', 'fer2013', '--root', 'r')).rejects.toThrow(/name: "fer2013" cannot be used/);
    await expect(parse('check', 'csv', '--root', 'r', '--fold', '0')).rejects.toThrow(OptionError);
    await expect(parse('show', 'csv')).rejects.toThrow(/--root/);
  });

  it('describes every option, and the layout of every data set', () => {
    for (const command of dataCommand().commands) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      for (const { flags, description } of command.options) {
        expect(help).toContain(flags);
        expect(description).toMatch(/\w/);
      }
      if (command.name() !== 'faces')
        expect(help).toContain('  crema-d\n    face_aligned/1001_DFA_ANG_XX/*.jpg');
      expect(help.split('\n').filter((line) => line.length > 96)).toEqual([]);
    }
    const names = (command: Command) => command.commands.map((one) => one.name());
    expect(names(dataCommand())).toEqual(['faces', 'check', 'show']);
  });
});

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { unlabelledFaces } from './faces-recipe.js';
import {
  planStudy,
  planText,
  requireEpochs,
  SPEEDS,
  startOf,
  STEP_GFLOP,
  STEP_MS,
  unlabelledPeople,
} from './study-plan.js';
import type { StudyPlan, StudyRun, StudySettings } from './study-plan.js';
import { STUDIES, studyOf } from './studies.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

const read = (path: string) => readFileSync(join(root, path), 'utf8');

const plan = (name: string, changes: Partial<StudySettings> = {}) =>
  planStudy(studyOf(name), {
    ...{
      dataSets: ['dfew', 'ferv39k'],
      seeds: 1,
      folder: 'runs',
      recipes: 'recipes',
      place: (path: string) => path,
    },
    ...{ sources: ['vox'], roots: { dfew: 'DFEW', ferv39k: 'FERV39k', faces: 'faces.csv' } },
    ...{ further: { pretrain: [], finetune: [] }, speed: SPEEDS.paper },
    ...changes,
  });
const drawn = (name: string) => plan(name, { dataSets: ['faces'], people: 10, speed: SPEEDS.drawn });
const names = ({ runs }: StudyPlan) => runs.map(({ name }) => name);
/** The value of an option in a command line. */
const valueOf = ({ words }: StudyRun, option: string) => words[words.indexOf(option) + 1]!;

describe('a plan', () => {
  it('has one pre-training for all epochs of Table 2, and none for 0', () => {
    const { runs, rows } = plan('table-2', { dataSets: ['dfew'], seeds: 2 });
    expect(runs.filter(({ program }) => program === 'pretrain').map(({ name }) => name)).toEqual(['epochs']);
    expect(rows[0]!.dfew).toEqual(['scratch-dfew-1', 'scratch-dfew-1-seed-1']);
    expect(rows[3]!.dfew).toEqual(['epochs-50-dfew-1', 'epochs-50-dfew-1-seed-1']);
    expect(runs.find(({ name }) => name === 'scratch-dfew-1')!.needs).toBeNull();
  });

  it('takes the checkpoint of an epoch, or the newest', () => {
    const { runs } = plan('table-2');
    const pretrained = runs[0]!;
    const run = runs.find(({ name }) => name === 'epochs-30-dfew-1')!;
    expect(startOf(run, pretrained, 4)).toBe(
      join('runs', 'epochs', 'checkpoints', 'step-00000120.safetensors'),
    );
    const [base, finetuned] = plan('table-10').runs.filter(({ name }) => /^base/.test(name));
    expect(startOf(finetuned!, base!, 4)).toBe(base!.folder);
  });

  it('has the epochs that the options of pre-training say, and none begins with a later one', () => {
    const further = { pretrain: ['--epochs', '20'], finetune: [] };
    const { runs } = plan('table-2', { further });
    const epochsOf = ({ epochs }: StudyRun) => epochs;
    expect(epochsOf(runs[0]!)).toBe(20);
    const early = runs.filter(({ epoch = 0 }) => epoch <= 20);
    expect(() => requireEpochs(early, runs, epochsOf)).not.toThrow();
    expect(() => requireEpochs(runs, runs, epochsOf)).toThrow(
      /epochs-30-dfew-1 begins with epoch 30 of epochs, which has 20 epochs\. Pre-train for at least 30/,
    );
  });

  it('pre-trains on the development part of VoxCeleb2 alone, and on other sources as they are', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tubelet-study-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const part of ['dev', 'test']) mkdirSync(join(folder, part, 'mp4'), { recursive: true });
    const { runs } = plan('table-10', { sources: [folder, 'list.txt'] });
    expect(runs[0]!.words.slice(0, 3)).toEqual(['pretrain', join(folder, 'dev'), 'list.txt']);
  });

  it('trains both pools of Table 5 from one encoder', () => {
    expect(names(plan('table-5', { dataSets: ['ferv39k'] }))).toEqual([
      'base',
      'base-ferv39k-original-tokens',
      'base-ferv39k',
    ]);
  });

  it('adds further words and the seed to the commands', () => {
    const further = { pretrain: ['--precision', 'f16'], finetune: ['--accumulate', '3'] };
    const { runs } = plan('figure-3', { further, seeds: 2 });
    expect(valueOf(runs[0]!, '--precision')).toBe('f16');
    const last = runs.at(-1)!;
    expect([valueOf(last, '--accumulate'), valueOf(last, '--seed')]).toEqual(['3', '1']);
  });

  it('scales regions and widths of drawn faces, and describes a model only where there is none to take', () => {
    const regions = drawn('table-4').runs.flatMap((run) =>
      run.program === 'pretrain' ? [valueOf(run, '--region')] : [],
    );
    expect(regions).toEqual(['1,2,4', '2,1,4', '2,2,4', '2,4,4', '4,2,4']);
    const widths = drawn('table-10').runs.map((run) => run.words.includes('--dim') && valueOf(run, '--dim'));
    expect(widths).toEqual(['32', '48', '64', false, false, false]);
    const scratch = drawn('table-2').runs.find(({ name }) => name === 'scratch-faces')!;
    expect(valueOf(scratch, '--dim')).toBe('64');
    expect(drawn('table-11').runs.some(({ words }) => words.includes('--region'))).toBe(false);
  });
});

it('draws people enough for the folds of both sets', () => {
  expect(unlabelledPeople(5)).toBeGreaterThanOrEqual(unlabelledFaces.folds);
  expect(unlabelledPeople(60)).toBe(10);
});

describe.each(Object.keys(STUDIES))('%s', (name) => {
  it('names recipes that are there, runs that it has, and each run after the one it begins with', () => {
    for (const { runs, rows } of [plan(name), drawn(name)]) {
      const configs = runs.map((run) => valueOf(run, '--config'));
      expect(configs.filter((path) => !existsSync(join(root, path)))).toEqual([]);
      const made = runs.map((run) => run.name);
      expect(new Set(made).size).toBe(made.length);
      expect(rows.flatMap((row) => Object.values(row).flat()).every((run) => made.includes(run))).toBe(true);
      for (const [i, { needs }] of runs.entries()) {
        if (needs) expect(made.slice(0, i)).toContain(needs);
      }
    }
  });

  it('counts the epochs of its recipes, and keeps the checkpoints that it takes', () => {
    const { runs } = plan(name);
    for (const run of runs.filter(({ program }) => program === 'pretrain')) {
      const text = read(valueOf(run, '--config'));
      expect(run.epochs).toBe(Number(/^epochs: (\d+)$/m.exec(text)?.[1] ?? 50));
      const every = Number(/^keep-every: (\d+)$/m.exec(text)?.[1]);
      const taken = runs.filter(({ needs, epoch }) => needs === run.name && epoch !== undefined);
      expect(taken.filter(({ epoch }) => epoch! % every !== 0)).toEqual([]);
    }
  });
});

it('has the figures of Figure 3 from the differences that the text gives', () => {
  const [without, , half, , alone] = studyOf('figure-3').rows.map(({ printed }) => {
    const { uar, war } = printed.dfew ?? { uar: NaN, war: NaN };
    return { uar: uar ?? NaN, war };
  });
  expect([half!.uar - alone!.uar, half!.war - alone!.war]).toEqual([
    expect.closeTo(1.69, 6),
    expect.closeTo(0.92, 6),
  ]);
  expect([half!.uar - without!.uar, half!.war - without!.war]).toEqual([
    expect.closeTo(1.77, 6),
    expect.closeTo(1.02, 6),
  ]);
});

it('takes speeds and operations from the pages that they were measured for', () => {
  const measured = read('docs/measured-speed.md');
  expect(measured).toMatch(new RegExp(`\\| base +\\| pre-training \\| ${STEP_MS.pretrain} `));
  expect(measured).toMatch(new RegExp(`\\| base +\\| fine-tuning +\\| ${STEP_MS.finetune} `));
  const expected = read('docs/expected-speed.md');
  for (const [program, models] of Object.entries(STEP_GFLOP)) {
    for (const [model, gflop] of Object.entries(models)) {
      expect(expected).toMatch(new RegExp(`\\| ${model} +\\| ${program} \\| 8 +\\| \\d+ +\\| ${gflop} `));
    }
  }
});

it('estimates days of an H100 for base on VoxCeleb2, and less for smaller models', () => {
  const { runs } = plan('table-10');
  const days = Object.fromEntries(runs.slice(0, 3).map(({ name, seconds }) => [name, seconds / 86_400]));
  expect(days.base).toBeCloseTo((50 * 1_092_009) / (8000 / STEP_MS.pretrain) / 86_400, 9);
  expect(days.tiny).toBeLessThan(days.small!);
  expect(days.small).toBeLessThan(days.base!);
});

it('shows each run with its state, and what is left', () => {
  const other = { folder: '', epochs: 1, needs: null, words: [] };
  const runs: StudyRun[] = [
    { ...other, name: 'base', program: 'pretrain', seconds: 3600, bytes: 5e9 },
    { ...other, name: 'base-dfew-1', program: 'finetune', seconds: 7200, bytes: 1e9 },
  ];
  const stateOf = ({ name }: StudyRun) => (name === 'base' ? 'finished' : 'interrupted');
  const lines = planText(runs, stateOf).split('\n');
  expect(lines[1]).toMatch(/^base +pretrain +finished +60 min +5\.0 GB$/);
  expect(lines[3]).toBe('all 2: 3.0 h, 6.0 GB; not finished 1: 2.0 h, 1.0 GB');
});

it('refuses a study that there is not', () => {
  expect(() => studyOf('table-6')).toThrow(/no study table-6. Name one of table-2, .*figure-3/);
});

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { evaluationOf, type Evaluation } from './evaluation.js';
import { readEvaluation } from './evaluation-json.js';
import { mergeFolds } from './folds.js';
import { randomScores, scoresOf } from './testing/scores.js';
import { predictionsCsv, writeEvaluation } from './write-evaluation.js';

const CLASSES = ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear <odd>'];

function foldOf(fold: number): Evaluation {
  const subject = {
    dataset: 'DFEW',
    fold,
    part: 'test',
    checkpoint: `fold-${fold}/last.safetensors`,
    clipsPerVideo: 2,
    classNames: CLASSES,
    leftOut: [{ id: `${fold}/broken.mp4`, reason: 'no <frames> at all' }],
  };
  return evaluationOf(subject, randomScores(120, 7, fold, `${fold}/`));
}

const SMALL = evaluationOf(
  { ...foldOf(1), classNames: ['a', 'b, "c"', 'd'], leftOut: [] },
  scoresOf([
    [1, 0, 0],
    [1, 1, 0],
    [0, 0, 0],
  ]),
);

const PUBLISHED = { title: 'published for X', uarPercent: 62.59, warPercent: 74.88 };

async function page(
  directory: string,
): Promise<{ text: string; rows: string[]; html: string; titles: string[] }> {
  const html = await readFile(join(directory, 'report.html'), 'utf8');
  const { document } = parseHTML(html);
  const rows = [...document.querySelectorAll('tr')].map((row) =>
    [...row.querySelectorAll('td, th')].map((cell) => cell.textContent).join(' | '),
  );
  const titles = [...document.querySelectorAll('figure svg title')].map((title) => title.textContent ?? '');
  return { text: document.body.textContent ?? '', rows, html, titles };
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

describe('writeEvaluation', () => {
  it('writes a page, JSON, predictions and pictures of one fold', async () => {
    const directory = await temporaryFolder();
    const evaluation = foldOf(1);
    const settings = { frameStep: 4, seed: NaN, commandLine: ['finetune', '--data <dfew>'] };
    const notes = ['validated on: the test list'];
    const classRecallPercent = [92.92, 77.46, 74.56, 76.94, 60.99, 18.62, 42.35];
    const files = await writeEvaluation(directory, evaluation, {
      notes,
      settings,
      published: [{ ...PUBLISHED, classRecallPercent }],
    });
    expect((await readdir(directory)).sort()).toEqual([
      'evaluation.json',
      'figures',
      'predictions.csv',
      'report.html',
    ]);
    expect((await readdir(join(directory, 'figures'))).sort()).toEqual([
      'confusion-matrix.png',
      'confusion-matrix.svg',
      'label-distribution.png',
      'label-distribution.svg',
    ]);
    for (const path of files.figurePaths) {
      const start = (await readFile(path)).subarray(0, 4).toString('latin1');
      expect(start).toBe(path.endsWith('.png') ? '\x89PNG' : '<svg');
    }

    const { text, rows, html, titles } = await page(directory);
    const { uar, war, perClass } = evaluation.metrics;
    const points = (share: number, published: number): string => {
      const difference = 100 * share - published;
      return `${published.toFixed(2)} % (${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(2)})`;
    };
    expect(rows).toContain(`UAR | ${percent(uar)} | ${points(uar, 62.59)}`);
    expect(rows).toContain(`WAR | ${percent(war)} | ${points(war, 74.88)}`);
    const [happy] = perClass;
    expect(rows).toContain(
      `happy | ${happy!.support} | ${percent(happy!.recall!)} | ${percent(happy!.precision!)} | ` +
        `${percent(happy!.f1!)} | ${points(happy!.recall!, 92.92)}`,
    );
    expect(rows).toContain('1 | 1/broken.mp4 | no <frames> at all');
    expect(rows).toContain('checkpoint | fold-1/last.safetensors');
    expect(rows).toContain('videos scored | 120');
    expect(rows).toContain('commandLine | ["finetune","--data <dfew>"]');
    for (const part of [...notes, 'fear <odd>', '1 video could not be scored', 'DFEW, fold 1, test']) {
      expect(text).toContain(part);
    }
    expect(titles).toHaveLength(2);
    expect(html).not.toMatch(/(src|href)=|url\(|NaN|undefined/);

    const json = JSON.parse(await readFile(files.jsonPath, 'utf8')) as Record<string, unknown>;
    expect(json).toMatchObject({ ...evaluation, context: { notes, settings: { frameStep: 4, seed: null } } });
    expect(await readEvaluation(files.jsonPath)).toEqual(evaluation);
  });

  it('says which classes have no videos, and how often views were doubled', async () => {
    const directory = await temporaryFolder();
    const videos = SMALL.videos.map((video) => ({ ...video, duplicates: 2 }));
    await writeEvaluation(directory, { ...SMALL, videos });
    const { text, rows } = await page(directory);
    expect(text).toContain('No video is of d: ');
    expect(text).toContain('6 repeated views of the same clips');
    expect(rows).toContain('d | 0 | – | – | –');
    expect(text).not.toContain('Left out');
  });

  it('shows a cross-validation merged both ways, with its folds', async () => {
    const directory = await temporaryFolder();
    const folds = [1, 2, 3].map(foldOf);
    const merged = mergeFolds(folds);
    const files = await writeEvaluation(directory, merged, {
      published: [PUBLISHED],
      publishedFolds: { 2: { title: 'fold 2', uarPercent: 10, warPercent: 99.5 } },
    });
    const { rows, text } = await page(directory);
    const uarRow = rows.find((row) => row.startsWith('UAR'));
    expect(uarRow).toContain(`UAR | ${percent(merged.meanUar)} | ${percent(merged.pooled.uar)} | 62.59 %`);
    const second = rows.find((row) => row.startsWith('2 | 120 | 1'));
    expect(second).toContain(percent(folds[1]!.metrics.war));
    expect(second).toMatch(/10\.00 % \(\+.*99\.50 % \(−.*fold-2\/last/);
    expect(rows.find((row) => row.startsWith('3 | 120 | 1'))).toContain('| – | – |');
    expect(rows).toContain('2 | 2/broken.mp4 | no <frames> at all');
    expect(text).toContain('DFEW, folds 1, 2, 3, test');
    const csv = (await readFile(files.predictionsPath, 'utf8')).split('\n');
    expect(csv).toHaveLength(1 + 360 + 1);
    expect(csv[0]).toMatch(/^fold,id,label,predicted,p_happy/);
    expect(csv[121]).toMatch(/^2,2\/clip-0\.mp4,/);
    await expect(readEvaluation(files.jsonPath)).rejects.toThrow(
      /not an evaluation of a fold: "fold" is missing/,
    );
  });
});

describe('predictionsCsv', () => {
  it('has a record for each video, with odd names quoted', () => {
    expect(predictionsCsv(SMALL).split('\n')).toEqual([
      'id,label,predicted,p_a,"p_b, ""c""",p_d,views',
      '0-0-0.mp4,a,a,0.600000,0.200000,0.200000,2',
      '1-0-0.mp4,"b, ""c""",a,0.600000,0.200000,0.200000,2',
      '1-1-0.mp4,"b, ""c""","b, ""c""",0.200000,0.600000,0.200000,2',
      '',
    ]);
  });
});

describe('readEvaluation', () => {
  it('refuses what is damaged, saying what to do', async () => {
    const path = join(await temporaryFolder(), 'evaluation.json');
    await expect(readEvaluation(path)).rejects.toThrow(UserError);
    await writeFile(path, '{"dataset":');
    await expect(readEvaluation(path)).rejects.toThrow(/cannot read the evaluation .*evaluation\.json/);
    await writeFile(path, JSON.stringify({ ...SMALL, clipsPerVideo: 'two' }));
    await expect(readEvaluation(path)).rejects.toThrow('"clipsPerVideo" is "two". Evaluate the fold again.');
    const videos = SMALL.videos.map((video) => ({ ...video, label: 7 }));
    await writeFile(path, JSON.stringify({ ...SMALL, videos }));
    await expect(readEvaluation(path)).rejects.toThrow(/is damaged: .*label 7/);
  });
});

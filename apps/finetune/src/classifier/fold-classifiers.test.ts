import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSafetensors } from '@tubelet/autograd/formats';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { classifierShapes, lgiFormer } from '@tubelet/mae-dfer';
import { evaluationPath, OptionError } from '@tubelet/trainer';
import { loadCheckpoint, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import { publishedArchive } from '../../../../packages/mae-dfer/src/import/testing/published-archive.js';
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { describeClassifier } from './classifier-file.js';
import type { EvaluateCommandOptions } from '../evaluate/evaluate-options.js';
import { embed } from '../embed/embed.js';
import { evaluate } from '../evaluate/evaluate-report.js';
import { findFoldClassifiers } from './fold-classifiers.js';
import { collectingTerminal } from '../testing/collecting-terminal.js';
import { tinyDescription, writeTinyClassifier } from '../testing/tiny-classifier.js';

const CLASSES = ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear'];
/** As the published code names the weights, which say nothing of themselves. */
const PUBLISHED_ENCODER = lgiFormer('base', { dim: 64, depth: 1, heads: 1 });

let folder: string;
let options: EvaluateCommandOptions;
const at = (...names: string[]) => join(folder, ...names);

function publishedWeights(): Uint8Array {
  const shapes = [...classifierShapes(PUBLISHED_ENCODER, CLASSES.length)];
  return encodeSafetensors(
    new Map(
      shapes.map(([name, shape]) => [name, { dtype: 'F32', shape, data: proceduralParameter(name, shape) }]),
    ),
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-folds-'));
  const { root } = await writeMiniature('dfew', at('dfew'), { frames: 6, size: 32 });
  await writeTinyClassifier(at('tiny.safetensors'), { classNames: CLASSES });
  const { tensors } = await loadCheckpoint(at('tiny.safetensors'));
  const save = (fold: number, ...place: string[]) =>
    saveCheckpoint(at('folds', ...place), {
      tensors,
      metadata: describeClassifier({
        ...tinyDescription({ classNames: CLASSES }),
        data: { name: 'dfew', fold },
      }),
    });
  mkdirSync(at('folds', 'fold-1', 'checkpoints'), { recursive: true });
  mkdirSync(at('folds', 'figures'));
  await save(1, 'fold-1', 'checkpoints', 'best.safetensors');
  await save(2, 'dfew_fold_2.safetensors');
  writeFileSync(at('folds', 'dfew_fd3.pth'), publishedWeights());
  mkdirSync(at('folds', 'eval_fd4'));
  writeFileSync(at('folds', 'eval_fd4', 'checkpoint-9.pth'), 'older');
  writeFileSync(at('folds', 'eval_fd4', 'checkpoint-99.pth'), publishedWeights());
  await save(5, 'set05.safetensors');
  options = {
    ...{ checkpoint: at('folds'), data: 'dfew', root, fold: 'all', part: 'test' },
    ...{ clips: 2, batchSize: 2, workers: 1 },
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the classifiers of all folds', () => {
  it('are evaluated on their folds, published ones too, and merged both ways', async () => {
    const terminal = collectingTerminal();
    await evaluate({ ...options, out: at('report') }, terminal);
    const text = terminal.written.join('');
    const row = (name: string) => {
      const [, ...numbers] = new RegExp(`^${name} +(\\d+) +([\\d.]+) % +([\\d.]+) %$`, 'm').exec(text)!;
      return numbers.map(Number) as [number, number, number];
    };
    const folds = [1, 2, 3, 4, 5].map((fold) => row(`fold ${fold}`));
    const mean = (of: 1 | 2) => folds.reduce((sum, fold) => sum + fold[of], 0) / 5;
    const [videos, uar, war] = row('mean of the folds');
    expect(videos).toBe(35);
    expect(uar).toBeCloseTo(mean(1), 1);
    expect(war).toBeCloseTo(mean(2), 1);
    expect(row('all predictions together')[0]).toBe(35);
    expect(text).toMatch(/^published for MAE-DFER base, all folds +63\.41 % +74\.43 %$/m);
    expect(text).toMatch(/^disgust +5 +\d.* +18\.62 %$/m);
    expect(existsSync(evaluationPath(at('report')))).toBe(true);
    expect(terminal.notes.filter((note) => /^(warning|fold 4)/.test(note))).toEqual([
      `fold 4 of 5: ${at('folds', 'eval_fd4', 'checkpoint-99.pth')}`,
    ]);
  });

  it('embed the videos of their folds, each fold a panel of the picture', async () => {
    const own = at('own');
    mkdirSync(own);
    const { tensors } = await loadCheckpoint(at('tiny.safetensors'));
    for (const fold of [1, 2, 3, 4, 5]) {
      const metadata = describeClassifier({
        ...tinyDescription({ classNames: CLASSES }),
        data: { name: 'dfew', fold },
      });
      await saveCheckpoint(join(own, `fold-${fold}.safetensors`), { tensors, metadata });
    }
    const terminal = collectingTerminal();
    const [out, picture] = [at('all.csv'), at('all.svg')];
    await embed([], { ...options, checkpoint: own, out, picture, layout: 'tsne' }, terminal);
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toMatch(/^fold,id,label,predicted,f0,/);
    const folds = lines.slice(1).map((line) => Number(line.split(',')[0]));
    expect(folds).toEqual([1, 2, 3, 4, 5].flatMap((fold) => Array<number>(7).fill(fold)));
    const svg = readFileSync(picture, 'utf8');
    for (const fold of [1, 2, 3, 4, 5]) expect(svg).toContain(`>fold ${fold}: 7 videos<`);
    expect(svg).toContain('t-SNE of features');

    const mixed = embed([], { ...options, out, picture }, terminal);
    await expect(mixed).rejects.toThrow(/gives 64 features .* others/);
  });

  it('are refused where one is missing, twice there, of another fold or no classifier', async () => {
    const terminal = collectingTerminal();
    const evaluating = () => evaluate(options, terminal);
    renameSync(at('folds', 'set05.safetensors'), at('folds', 'set06.safetensors'));
    await expect(evaluating()).rejects.toThrow(
      /each of the 5 folds of DFEW.* fold 5 is missing, and there is no fold 6/,
    );
    renameSync(at('folds', 'set06.safetensors'), at('folds', 'fold1.safetensors'));
    await expect(evaluating()).rejects.toThrow('two classifiers of fold 1, fold-1 and fold1.safetensors');
    renameSync(at('folds', 'fold1.safetensors'), at('folds', 'last.safetensors'));
    await expect(evaluating()).rejects.toThrow(
      /last\.safetensors does not say its fold: rename it, such as to fold-1\.safe/,
    );
    renameSync(at('folds', 'last.safetensors'), at('kept.safetensors'));
    renameSync(at('folds', 'dfew_fold_2.safetensors'), at('folds', 'fold-5.safetensors'));
    renameSync(at('kept.safetensors'), at('folds', 'fold-2.safetensors'));
    await expect(evaluating()).rejects.toThrow('trained on fold 5 of dfew, and its name says fold 2 of DFEW');
    writeFileSync(at('folds', 'fold-2.pth'), publishedArchive());
    rmSync(at('folds', 'fold-2.safetensors'));
    await expect(evaluating()).rejects.toThrow(/no head\.weight/);
    expect(terminal.written).toEqual([]);
  });

  it('are asked for as a folder', async () => {
    const place = at('tiny.safetensors');
    const finding = findFoldClassifiers(place, { title: 'DFEW', folds: 5 }, () => {});
    await expect(finding).rejects.toThrow(OptionError);
  });
});

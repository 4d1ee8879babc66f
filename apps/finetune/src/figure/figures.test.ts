import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSafetensors, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { evaluationOf, mergeFolds, OptionError, UserError, writeEvaluation } from '@tubelet/trainer';
// Test code of a neighbour, which is not part of what its package offers.
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { confusionFigure, featureFigure, labelFigure } from './figures.js';
import { collectingTerminal } from '../testing/collecting-terminal.js';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const io = collectingTerminal();

/** Features of eight videos of two classes, as `embed` writes them. */
function writeFeatures(name: string, folds?: readonly number[]): void {
  const indices = (values: readonly number[]) =>
    ({ dtype: 'I32', shape: [values.length], data: Int32Array.from(values) }) as const;
  const labels = [0, 0, 0, 0, 1, 1, 1, 1];
  const data = Float32Array.from(
    { length: 24 },
    (_, i) => labels[Math.floor(i / 3)]! * 5 + ((i * 7) % 5) / 5,
  );
  const tensors = new Map<string, SafetensorsTensor>([
    ['features', { dtype: 'F32', shape: [8, 3], data }],
    ['predicted', indices(labels)],
    ['labels', indices(labels)],
    ...(folds ? [['folds', indices(folds)] as const] : []),
  ]);
  const names = JSON.stringify(['glad', 'sad']);
  writeFileSync(at(name), encodeSafetensors(tensors, { classNames: names, labelNames: names }));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-figures-'));
  writeFeatures('one.safetensors');
  writeFeatures('folds.safetensors', [1, 2, 1, 2, 1, 2, 1, 2]);
  const evaluation = (fold: number) =>
    evaluationOf(
      {
        ...{ dataset: 'DFEW', fold, part: 'test', checkpoint: 'c', clipsPerVideo: 2 },
        ...{ classNames: ['happy', 'sad'], leftOut: [] },
      },
      [0, 1, 1].map((label, i) => ({
        ...{ id: `${fold}/${i}`, label, predicted: 1, probabilities: [0.25, 0.75], views: 2, duplicates: 0 },
      })),
    );
  await writeEvaluation(at('run', 'test'), evaluation(1));
  await writeEvaluation(at('all'), mergeFolds([evaluation(1), evaluation(2)]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the figures of several results', () => {
  it('have a panel for each file and fold of features, laid out by either method', async () => {
    const files = [at('one.safetensors'), at('folds.safetensors')];
    await featureFigure(files, { out: at('5.svg'), layout: 'tsne' }, io);
    const svg = readFileSync(at('5.svg'), 'utf8');
    for (const title of ['one: 8 videos', 'folds, fold 1: 4 videos', 'folds, fold 2: 4 videos']) {
      expect(svg).toContain(`>${title}<`);
    }
    await featureFigure(files, { out: at('u.svg'), titles: ['a', 'b', 'c'], neighbors: 2 }, io);
    expect(readFileSync(at('u.svg'), 'utf8')).toContain('>b: 4 videos<');
    expect(readFileSync(at('u.svg'), 'utf8')).toContain('UMAP of features');
  });

  it('have a single panel with what it shows, or the title that is given', async () => {
    const file = [at('one.safetensors')];
    const options = { out: at('single.svg'), layout: 'tsne' } as const;
    await featureFigure(file, options, io);
    expect(readFileSync(options.out, 'utf8')).toContain('of 8 videos by label<');
    await featureFigure(file, { ...options, titles: ['mine'] }, io);
    expect(readFileSync(options.out, 'utf8')).toContain('>mine: 8 videos<');
  });

  it('have a panel for each data set, with short names', async () => {
    const dfew = await writeMiniature('dfew', at('dfew'), { frames: 1, size: 8 });
    const csv = await writeMiniature('csv', at('csv'), { frames: 1, size: 8 });
    await labelFigure([`dfew=${dfew.root}`, `csv=${csv.root}`], { out: at('6.svg') }, io);
    const svg = readFileSync(at('6.svg'), 'utf8');
    for (const word of ['DFEW', 'CSV', 'HA', 'FE', 'smile']) expect(svg).toContain(`>${word}<`);
  });

  it('have a panel for each result, of cross-validations with all predictions together', async () => {
    await confusionFigure([at('run'), at('all', 'evaluation.json')], { out: at('7.svg') }, io);
    const svg = readFileSync(at('7.svg'), 'utf8');
    expect(svg).toContain('>DFEW, fold 1, test<');
    expect(svg).toContain('>DFEW, folds 1, 2, test<');
    expect(svg).toContain('>HA (1)<');
    expect(svg).toContain('>SA (4)<');
  });

  it('refuse what they cannot draw', async () => {
    const out = at('never.svg');
    await expect(labelFigure(['nothing'], { out }, io)).rejects.toThrow(/NAME=PLACE/);
    await expect(confusionFigure([folder], { out }, io)).rejects.toThrow(/holds no evaluation\.json/);
    await expect(featureFigure([at('7.svg')], { out }, io)).rejects.toThrow(UserError);
    writeFileSync(at('bad.safetensors'), 'nothing');
    await expect(featureFigure([at('bad.safetensors')], { out }, io)).rejects.toThrow(/holds no features/);
    const wrongTitles = featureFigure([at('one.safetensors')], { out, titles: ['a', 'b'] }, io);
    await expect(wrongTitles).rejects.toThrow(OptionError);
    const wrongLayout = featureFigure([at('one.safetensors')], { out, perplexity: 2 }, io);
    await expect(wrongLayout).rejects.toThrow('--perplexity needs --layout tsne');
  });
});

import type { EvaluateCommandOptions } from './evaluate-options.js';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluationPath, OptionError, readEvaluation } from '@tubelet/trainer';
import { loadCheckpoint, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { describeClassifier } from '../classifier/classifier-file.js';
import { evaluate } from './evaluate-report.js';
import { collectingTerminal } from '../testing/collecting-terminal.js';
import { tinyDescription, writeTinyClassifier } from '../testing/tiny-classifier.js';

const CLASSES = ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear'];

let folder: string;
let options: EvaluateCommandOptions;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-evaluate-'));
  const { root } = await writeMiniature('dfew', at('dfew'), { frames: 6, size: 32 });
  await writeTinyClassifier(at('tiny.safetensors'), { classNames: CLASSES });
  const { tensors } = await loadCheckpoint(at('tiny.safetensors'));
  const description = { ...tinyDescription({ classNames: CLASSES }), data: { name: 'dfew', fold: 2 } };
  const checkpoint = at('dfew.safetensors');
  await saveCheckpoint(checkpoint, { tensors, metadata: describeClassifier(description) });
  options = { checkpoint, data: 'dfew', root, part: 'test', clips: 2, batchSize: 2, workers: 1 };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the evaluate command', () => {
  it('prints the result beside the published one, and writes its report', async () => {
    const terminal = collectingTerminal();
    await evaluate({ ...options, out: at('report') }, terminal);
    const text = terminal.written.join('');
    expect(text).toMatch(/^DFEW, fold 2, test: 7 videos, 2 clips of each \(frame step 2, crop none\)$/m);
    expect(text).toMatch(/^measured +\d+\.\d\d % +\d+\.\d\d %$/m);
    expect(text).toMatch(/^published for MAE-DFER base, fold 2 +61\.96 % +72\.49 %$/m);
    expect(text).toMatch(/^disgust +1 +\d.* +18\.62 %$/m);
    expect(text).toMatch(/^report .*report\.html$/m);
    expect(terminal.notes.filter((note) => note.startsWith('warning'))).toEqual([]);

    const evaluation = await readEvaluation(evaluationPath(at('report')));
    expect(evaluation).toMatchObject({ dataset: 'DFEW', fold: 2, part: 'test', classNames: CLASSES });
    const percent = `${(100 * evaluation.metrics.uar).toFixed(2)} %`;
    expect(text).toContain(percent);
    const page = readFileSync(at('report/report.html'), 'utf8');
    expect(page).toContain(percent);
    expect(page).toContain('published for MAE-DFER base, fold 2');
    expect(page).not.toContain('Warning');
    for (const file of ['predictions.csv', 'figures/confusion-matrix.svg', 'figures/confusion-matrix.png']) {
      expect(existsSync(at(`report/${file}`)), file).toBe(true);
    }
  });

  it('warns where the classifier has seen the videos, in the report too', async () => {
    const terminal = collectingTerminal();
    await evaluate({ ...options, fold: 1, out: at('leak') }, terminal);
    const warning = '7 of these 7 videos (100 %) are in the training part of fold 2';
    expect(terminal.notes[0]).toContain(`warning: ${warning}`);
    expect(readFileSync(at('leak/report.html'), 'utf8')).toContain(`Warning: ${warning}`);
  });

  it('looks at the folder of the report before it begins', async () => {
    writeFileSync(at('a-file'), '');
    const terminal = collectingTerminal();
    await expect(evaluate({ ...options, out: at('a-file') }, terminal)).rejects.toThrow(OptionError);
    expect(terminal.written).toEqual([]);
  });

  it('does not write over the report of a training', async () => {
    mkdirSync(at('run'));
    writeFileSync(at('run/config.json'), '{}');
    const evaluating = evaluate({ ...options, out: at('run') }, collectingTerminal());
    await expect(evaluating).rejects.toThrow(`such as ${at('run/evaluation')}`);
  });
});

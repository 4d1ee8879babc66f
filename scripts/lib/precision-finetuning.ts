import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassificationMetrics } from '@tubelet/trainer';
import {
  finetuning,
  labelledFaces,
  pretraining,
  unlabelledFaces,
} from '../../apps/tubelet/src/study/faces-recipe.js';
import { mean } from './loss-curve.js';
import type { Finding, PrecisionContext } from './precision-pretraining.js';
import { optionWords } from '../../apps/tubelet/src/study/option-words.js';

const FOLD = 1;
const SEEDS = [0, 1, 2];
const LABELLED = { ...labelledFaces, subjects: 60 };
const UNLABELLED = { ...unlabelledFaces, subjects: 10 };
const PRETRAINING = { ...pretraining, epochs: 30 };
const FINETUNING = { ...finetuning, epochs: 6, 'validate-on': 'none' };

type Metrics = Pick<ClassificationMetrics, 'uar' | 'count' | 'confusion'>;

/** Of a sample. */
const deviation = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));

/**
 * Fine-tunes drawn faces in f32 and f16 with several seeds, all from one pre-training in f32, and compares the mean recall
 * of classes (UAR) on people that no training has seen. f32 must have learned more than guessing, or nothing would follow.
 */
export async function compareFinetuning({ folder, run, say }: PrecisionContext): Promise<Finding[]> {
  const at = (...names: string[]) => join(folder, ...names);
  await run(['faces', '--out', at('faces'), ...optionWords(LABELLED)]);
  await run(['faces', '--out', at('faces-unlabelled'), ...optionWords(UNLABELLED)]);
  const pretrained = { out: at('pretrained'), ...PRETRAINING, resume: 'auto' };
  await run(['pretrain', at('faces-unlabelled', 'clips'), ...optionWords(pretrained)]);

  const testOf = async (precision: string, seed: number) => {
    const out = at(`finetuned-${precision}-${seed}`);
    const result = join(out, 'test', 'evaluation.json');
    if (!existsSync(result)) {
      const data = { data: 'csv', root: at('faces', 'faces.csv'), fold: FOLD, from: at('pretrained') };
      await run([
        'finetune',
        ...optionWords({ ...data, out, precision, seed, ...FINETUNING, resume: 'auto' }),
      ]);
    }
    return (JSON.parse(readFileSync(result, 'utf8')) as { metrics: Metrics }).metrics;
  };
  const tests: Record<'f32' | 'f16', Metrics[]> = { f32: [], f16: [] };
  for (const seed of SEEDS) {
    for (const precision of ['f32', 'f16'] as const) tests[precision].push(await testOf(precision, seed));
  }

  const { count, confusion } = tests.f32[0]!;
  const guessing = 1 / confusion.length;
  const [f32, f16] = [tests.f32, tests.f16].map((each) => each.map(({ uar }) => uar)) as [number[], number[]];
  const difference = Math.abs(mean(f16) - mean(f32));
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const row = (uars: readonly number[]) =>
    `${uars.map(percent).join(', ')}; ${percent(mean(uars))} ± ${percent(deviation(uars))}`;
  console.log();
  say(`fine-tuning of drawn faces, UAR of ${count} videos with seeds ${SEEDS.join(', ')}; mean ± deviation`);
  say(`f32  ${row(f32)}`);
  say(`f16  ${row(f16)}`);
  say(
    `the means differ by ${percent(difference)} (allowed: ${percent(deviation(f32))}, f32's deviation); ` +
      `guessing gives ${percent(guessing)}`,
  );
  return [
    { holds: mean(f32) - deviation(f32) > guessing, failure: 'f32 learns nothing to compare with' },
    { holds: difference <= deviation(f32), failure: 'in fine-tuning f16 does not learn as f32 does' },
  ];
}

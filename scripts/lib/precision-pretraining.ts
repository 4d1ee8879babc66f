import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '@tubelet/kernels/node';
import { demoClips } from './demo-clips.js';
import { demoSettings } from './demo-recipe.js';
import { largestGap, lossesOf, smoothed, sparkline } from './loss-curve.js';
import { optionWords, type OptionValues } from '../../apps/tubelet/src/study/option-words.js';

/** Steps over which losses are averaged. */
export const WINDOW = 20;
const LARGEST_GAP = 0.02;
/** Steps of the run that is stopped halfway. */
const RESUMED_STEPS = 12;

/** What a comparison needs. */
export interface PrecisionContext {
  /** For its runs, which are gone on with where they are there. */
  readonly folder: string;
  /** Runs the command in view of the user. */
  readonly run: (words: readonly string[]) => Promise<void>;
  readonly say: (line: string) => void;
}

/** What was compared. */
export interface Finding {
  readonly holds: boolean;
  /** What is wrong where it does not hold. */
  readonly failure: string;
}

async function trainer({ folder, run, say }: PrecisionContext) {
  const clips = await demoClips(cacheDirectory(), say);
  return (name: string, options: OptionValues) =>
    run(['pretrain', ...clips, ...optionWords({ ...demoSettings, out: join(folder, name), ...options })]);
}

/** Pre-trains the demo's model in f32 and f16 and compares the losses. */
export async function comparePretraining(context: PrecisionContext, steps: number): Promise<Finding> {
  const { folder, say } = context;
  const train = await trainer(context);
  const records = (name: string) => {
    const log = join(folder, name, 'log.jsonl');
    return existsSync(log) ? readFileSync(log, 'utf8') : '';
  };
  for (const precision of ['f32', 'f16'] as const) {
    if (lossesOf(records(precision)).length >= steps) continue;
    await train(precision, { precision, 'stop-after': steps, resume: 'auto' });
  }
  const curve = (name: string) => smoothed(lossesOf(records(name)).slice(0, steps), WINDOW);
  const [f32, f16] = [curve('f32'), curve('f16')];
  const { gap, at } = largestGap(f32, f16);
  const last = records('f16')
    .split('\n')
    .findLast((line) => line.includes('"type":"step"'));
  const { metrics } = JSON.parse(last!) as { metrics: Record<string, number> };
  const percent = (value: number) => `${(100 * value).toPrecision(2)} %`;
  console.log();
  say(`pre-training f32  ${sparkline(f32)}  ${f32.at(-1)!.toFixed(4)}`);
  say(`pre-training f16  ${sparkline(f16)}  ${f16.at(-1)!.toFixed(4)}`);
  say(`loss scale ${metrics['loss scale']}, skipped steps ${metrics['skipped steps']} of ${steps}`);
  say(
    `largest gap of the losses of ${steps} steps, means of ${WINDOW}: ${percent(gap)} up to step ${at + WINDOW} ` +
      `(allowed: ${percent(LARGEST_GAP)})`,
  );
  return { holds: gap <= LARGEST_GAP, failure: 'in pre-training f16 does not learn as f32 does' };
}

/** Stops a run in f16 and resumes it, and compares the bytes with those of one that was not stopped. */
export async function compareResumed(context: PrecisionContext): Promise<Finding> {
  const { folder, say } = context;
  const train = await trainer(context);
  for (const name of ['whole', 'parts']) rmSync(join(folder, name), { recursive: true, force: true });
  const halfway = RESUMED_STEPS / 2;
  await train('whole', { precision: 'f16', 'stop-after': RESUMED_STEPS });
  await train('parts', { precision: 'f16', 'stop-after': halfway });
  await train('parts', { precision: 'f16', 'stop-after': RESUMED_STEPS, resume: true });
  const digest = (name: string) => {
    const checkpoints = join(folder, name, 'checkpoints');
    const last = readdirSync(checkpoints).sort().at(-1);
    return createHash('sha256')
      .update(readFileSync(join(checkpoints, last!)))
      .digest('hex');
  };
  const holds = digest('whole') === digest('parts');
  say(
    `stopped after step ${halfway} and resumed, a run in f16 ends with ${holds ? 'the same' : 'other'} bytes ` +
      `after step ${RESUMED_STEPS}`,
  );
  return { holds, failure: 'a resumed run in f16 ends with other bytes' };
}

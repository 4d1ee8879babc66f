// Pre-trains the demo's model twice, with --precision f32 and f16, and compares the losses: f16 must stay within 2 % of
// f32, smoothed over 20 steps. Then it stops a run in f16 and resumes it, which must end with the same bytes. On a GPU
// with matrix units it uses them; elsewhere a software driver that has such units, fetched into the cache folder.
//
//   npm run test:precision                 300 steps of each
//   npm run test:precision -- --steps 100
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory, type GpuReport } from '@tubelet/kernels/node';
import { demoClips } from './lib/demo-clips.js';
import { demoSettings } from './lib/demo-recipe.js';
import { largestGap, lossesOf, smoothed, sparkline } from './lib/loss-curve.js';
import { matrixUnitsDriver, matrixUnitsEnvironment, nodeWithDriver } from './lib/matrix-units-driver.js';
import { probe } from './lib/probe.js';
import { optionWords, requireBuilt, runProgram, type OptionValues } from './lib/programs.js';

const WINDOW = 20;
const LARGEST_GAP = 0.02;
/** Steps of the run that is stopped halfway. */
const RESUMED_STEPS = 12;

const say = (line: string) => console.log(`[precision] ${line}`);

function stepsWanted(): number {
  const { values } = parseArgs({ options: { steps: { type: 'string', default: '300' } } });
  const steps = Number(values.steps);
  if (Number.isInteger(steps) && steps >= 2 * WINDOW) return steps;
  throw new Error(
    `--steps: ${values.steps} cannot be used; expected a whole number of at least ${2 * WINDOW}`,
  );
}

const takesF16 = ({ componentType, resultComponentType }: GpuReport['matrixUnits'][number]) =>
  componentType === 'f16' && resultComponentType === 'f32';

/** How to start programs so that they find matrix units for f16. */
async function start() {
  const { report } = await probe();
  if (report?.matrixUnits.some(takesF16)) return {};
  const driver = await matrixUnitsDriver(cacheDirectory());
  return { node: nodeWithDriver(driver), env: matrixUnitsEnvironment(driver, cacheDirectory()) };
}

const folder = mkdtempSync(join(tmpdir(), 'tubelet-precision-'));
try {
  const steps = stepsWanted();
  requireBuilt();
  const clips = await demoClips(cacheDirectory(), say);
  const started = await start();
  const train = (name: string, options: OptionValues) =>
    runProgram(
      ['pretrain', ...clips, ...optionWords({ ...demoSettings, out: join(folder, name), ...options })],
      started,
    );
  const records = (name: string) => readFileSync(join(folder, name, 'log.jsonl'), 'utf8');
  const seconds = { f32: NaN, f16: NaN };
  for (const precision of ['f32', 'f16'] as const) {
    const begin = Date.now();
    await train(precision, { precision, 'stop-after': steps });
    seconds[precision] = (Date.now() - begin) / 1000;
  }
  const lossesOfRun = (name: string) => smoothed(lossesOf(records(name)), WINDOW);
  const [f32, f16] = [lossesOfRun('f32'), lossesOfRun('f16')];
  const { gap, at } = largestGap(f32, f16);
  const lastLine = records('f16')
    .split('\n')
    .findLast((line) => line.includes('"type":"step"'));
  if (lastLine === undefined) throw new Error('the run in f16 has logged no step');
  const { metrics } = JSON.parse(lastLine) as { metrics: Record<string, number> };

  const halfway = RESUMED_STEPS / 2;
  await train('whole', { precision: 'f16', 'stop-after': RESUMED_STEPS });
  await train('parts', { precision: 'f16', 'stop-after': halfway });
  await train('parts', { precision: 'f16', 'stop-after': RESUMED_STEPS, resume: true });
  const digest = (name: string) => {
    const checkpoints = join(folder, name, 'checkpoints');
    const last = readdirSync(checkpoints).sort().at(-1)!;
    return createHash('sha256')
      .update(readFileSync(join(checkpoints, last)))
      .digest('hex');
  };

  const percent = (value: number) => `${(100 * value).toPrecision(2)} %`;
  console.log();
  say(`f32  ${sparkline(f32)}  ${f32.at(-1)!.toFixed(4)}, ${seconds.f32.toFixed(0)} s`);
  say(`f16  ${sparkline(f16)}  ${f16.at(-1)!.toFixed(4)}, ${seconds.f16.toFixed(0)} s`);
  say(`loss scale ${metrics['loss scale']}, skipped steps ${metrics['skipped steps']} of ${steps}`);
  say(
    `largest gap of the losses of ${steps} steps, means of ${WINDOW}: ${percent(gap)} up to step ${at + WINDOW} ` +
      `(allowed: ${percent(LARGEST_GAP)})`,
  );
  if (!(gap <= LARGEST_GAP)) throw new Error('f16 does not learn as f32 does');
  if (digest('whole') !== digest('parts')) throw new Error('a resumed run in f16 ends with other bytes');
  say(
    `stopped after step ${halfway} and resumed, a run in f16 ends with the same bytes after step ${RESUMED_STEPS}`,
  );
} catch (error) {
  console.error(`[precision] ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

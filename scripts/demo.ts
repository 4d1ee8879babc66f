// Pre-trains a small masked autoencoder on two webcam clips and shows what it makes of a stretch that it
// never saw. Made for a machine without a GPU: minutes on two processor cores.
//
//   npm run demo
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { cacheDirectory } from '@tubelet/kernels/node';
import { clipPackage, demoClips } from './lib/demo-clips.js';
import { demoSettings, FRAME_STEP, TRAINING_SECONDS } from './lib/demo-recipe.js';
import { lossesOf, lossFall, sparkline } from './lib/loss-curve.js';
import { optionWords } from '../apps/tubelet/src/study/option-words.js';
import { commandText, requireBuilt, runProgram } from './lib/programs.js';
import { root } from './lib/root.mjs';

const say = (line: string) => console.log(`[demo] ${line}`);

const runFolder = join(root, 'runs', 'demo');
const picture = join(runFolder, 'reconstruction.png');

const PICTURE_START_SECONDS = 3;

let interrupted = false;

interface RunConfig {
  readonly settings?: { readonly sources?: readonly string[] };
}

/** Removes what an earlier demo left, and nothing else. */
function startAfresh() {
  if (!existsSync(runFolder)) return;
  const config = join(runFolder, 'config.json');
  const sources = existsSync(config)
    ? (JSON.parse(readFileSync(config, 'utf8')) as RunConfig).settings?.sources
    : undefined;
  const ours = clipPackage.clips.map(({ path }) => basename(path)).join();
  const isOurs = Array.isArray(sources) && sources.map((path) => basename(path)).join() === ours;
  const shownFolder = relative(root, runFolder);
  if (!isOurs && readdirSync(runFolder).length > 0) {
    throw new Error(
      `${shownFolder} holds something other than a run of this demo: move it away and run again.`,
    );
  }
  say(`removing the earlier demo in ${shownFolder}`);
  rmSync(runFolder, { recursive: true });
}

function report(checkpoint: string): void {
  const log = join(runFolder, 'log.jsonl');
  const losses = lossesOf(readFileSync(log, 'utf8'));
  const { start, end } = lossFall(losses);
  console.log(
    `\nloss ${start.toFixed(3)} → ${end.toFixed(3)} (means of the first and last 20 of ${losses.length} steps)\n` +
      sparkline(losses),
  );
  // Also true of losses that are not numbers.
  if (!(end < 0.8 * start)) {
    throw new Error(
      'The loss did not fall as it should: something is wrong with this GPU or its driver (npx tubelet doctor).',
    );
  }
  const place = (path: string) => relative(root, path);
  console.log(`
checkpoint  ${place(checkpoint)}
report      ${place(join(runFolder, 'report.html'))}
log         ${place(log)}
picture     ${place(picture)}

What next:
  another stretch, or a video of yours
    ${commandText(['reconstruct', 'VIDEO', '--checkpoint', place(checkpoint), '--out', 'picture.png', '--start-seconds', '20'])}
  your own folder of videos with the paper's settings, on a machine with a GPU
    ${commandText(['pretrain', 'FOLDER', '--out', 'runs/mine'])}
  all settings
    ${commandText(['pretrain', '--help'])}`);
}

async function demo() {
  if (process.argv.length > 2) throw new Error(`Unknown option ${process.argv[2]}; the demo takes none.`);
  requireBuilt();
  const clips = await demoClips(cacheDirectory(), say);
  startAfresh();
  const { start, end } = TRAINING_SECONDS;
  say(`training a small model on seconds ${start} to ${end} of both clips; without a GPU this takes minutes`);
  say('its kernels are compiled first, side by side; drivers keep them for the next time');
  await runProgram(['pretrain', ...clips, '--out', relative(root, runFolder), ...optionWords(demoSettings)]);
  if (interrupted) return say(`stopped; what there is lies in ${relative(root, runFolder)}`);

  const checkpoints = join(runFolder, 'checkpoints');
  const last = readdirSync(checkpoints).sort().at(-1);
  if (last === undefined) throw new Error(`${relative(root, checkpoints)} is empty`);
  const checkpoint = join(checkpoints, last);
  say(`reconstructing a stretch that was held out, from second ${PICTURE_START_SECONDS} on`);
  await runProgram([
    'reconstruct',
    clips[0]!,
    ...optionWords({
      checkpoint: relative(root, checkpoint),
      out: relative(root, picture),
      'start-seconds': PICTURE_START_SECONDS,
      'frame-step': FRAME_STEP,
    }),
  ]);
  report(checkpoint);
}

process.on('SIGINT', () => (interrupted = true));
try {
  await demo();
  if (interrupted) process.exitCode = 130;
} catch (error) {
  console.error(`[demo] ${(error as Error).message}`);
  process.exitCode = 1;
}

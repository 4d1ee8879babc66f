import { Command } from 'commander';
import { addOptionGroups, choiceOption, positive, valued, whole } from '@tubelet/trainer';
import { PREDICTION_FORMATS } from './predict-format.js';
import { classifierOptions } from './classifier-options.js';
import { predict, type PredictOptions } from './predict.js';

const SUMMARY = 'say which expression videos show: the probability of each class';

/** Paragraphs, which the help wraps to the width of the terminal. */
const DESCRIPTION = [
  SUMMARY,
  'A video is any file that ffmpeg reads, a folder of jpg or png frames, or a single image. Sources are videos, folders that hold them, glob patterns in quotes, and lists (.csv or .txt, one `path label` a line, the label optional). Probabilities are the mean over clips spread evenly over the video, as in evaluation.',
].join('\n\n');

const EXAMPLES = `
Examples:
  $ finetune predict face.mp4 --checkpoint runs/dfew
  $ finetune predict clips/ --checkpoint runs/dfew --out answers.csv
  $ finetune predict 'clips/*.mp4' --checkpoint runs/dfew --format jsonl | jq .predicted
  $ finetune predict interview.mp4 --checkpoint runs/dfew --window 2 --hop 0.5 --plot interview.svg

Windows:
  Stretches of a long video (--window) are scored like videos of their own, one every --hop seconds, the last of them
  ending with the video. Where a window is too short for a clip of the usual frame step, its frames are taken closer
  together so that the clip spans the window; with --frame-step they are not, and the last frame is repeated.

Files that cannot be read are named and left out. The exit code is 1 only when none could be read.`;

/** The `predict` command. */
export function predictCommand(): Command {
  const command = new Command('predict')
    .summary(SUMMARY)
    .description(DESCRIPTION)
    .argument('<sources...>', 'videos, folders, glob patterns or lists')
    .addHelpText('after', EXAMPLES);
  addOptionGroups(command, {
    ...classifierOptions(
      valued(
        '--clips <n>',
        'clips of a video or window (default: 2, of windows without room for two side by side: 1)',
        whole('--clips'),
      ),
    ),
    'Windows:': [
      valued('--window <seconds>', 'score windows of this length along each video', positive('--window')),
      valued('--hop <seconds>', 'from one window to the next (default: half a window)', positive('--hop')),
      valued('--plot <file>', 'draw the probabilities over time: .svg or .png; for one video', String),
    ],
    'Output:': [
      valued(
        '--format <name>',
        `one of ${PREDICTION_FORMATS.join(', ')} (default: by the name of --out, else text)`,
        choiceOption('--format', PREDICTION_FORMATS),
      ),
      valued('--out <file>', 'write to a file rather than the terminal', String),
      valued('--top <n>', 'text: classes named (default: all of a single video, else 3)', whole('--top')),
    ],
  });
  return command
    .option('--debug', 'print stack traces of errors')
    .action((sources: string[], options: PredictOptions) => predict(sources, options));
}

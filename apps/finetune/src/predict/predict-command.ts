import { Command } from 'commander';
import { predictOptions } from './predict-options.js';
import { predict } from './predict.js';

const SUMMARY = 'say which expression videos show: the probability of each class';

/** Paragraphs, which the help wraps to the width of the terminal. */
const DESCRIPTION = [
  SUMMARY,
  'A video is any file that ffmpeg reads, a folder of jpg or png frames, or a single image. Sources are videos, folders that hold them, glob patterns in quotes, and lists (.csv or .txt, one `path label` a line, the label optional). Probabilities are the mean over clips spread evenly over the video, as in evaluation.',
].join('\n\n');

const EXAMPLES = `
Examples:
  tubelet predict face.mp4 --checkpoint runs/dfew
  tubelet predict clips/ --checkpoint runs/dfew --out answers.csv
  tubelet predict 'clips/*.mp4' --checkpoint runs/dfew --format jsonl | jq .predicted
  tubelet predict interview.mp4 --checkpoint runs/dfew --window 2 --hop 0.5 --plot interview.svg
  tubelet predict party.mp4 --checkpoint runs/dfew --crop face --faces-out party-faces.mp4

Faces:
  A classifier wants what it was trained on, which for all published sets are faces cut out and aligned. --crop face does
  that to any video: each person is followed and answered for. The detector is installed into the cache folder at the
  first use.

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
  return predictOptions
    .addTo(command)
    .action((sources: string[]) => predict(sources, predictOptions.read(command).options));
}

import { option, readValue } from '@tubelet/trainer';
import { Argument, Command, Help } from 'commander';
import { DATASET_NAMES, DATASETS, type DatasetName } from '@tubelet/video';
import { checkOptions, dataCheck } from './data-check.js';
import { dataFaces, facesOptions } from './data-faces.js';
import { FACE_SETS, type FaceSet } from './faces-layout.js';
import { dataShow, showOptions } from './data-show.js';

const LAYOUT_CHARACTERS = 96;

/** Lines of at most {@link LAYOUT_CHARACTERS}, indented: commander wraps options, and not what comes after them. */
const indented = (text: string): string =>
  new Help().boxWrap(text, LAYOUT_CHARACTERS - 4).replace(/^/gm, '    ');

const LAYOUTS = `
What is expected on the disk:
${DATASET_NAMES.map((name) => `  ${name}\n${indented(DATASETS[name].layout)}`).join('\n')}`;

const CHECK_EXAMPLES = `
Examples:
  tubelet data check dfew --root /data/DFEW
  tubelet data check mafw --root /data/MAFW --fold 1 --quick
  tubelet data check csv --root faces/faces.csv --json check.json
  tubelet data check ravdess --root /data/RAVDESS --faces

The exit code is 1 when there are errors; warnings and notes leave it at 0.`;

const FACES_HELP = `
Examples:
  tubelet data faces crema-d --root /data/CREMA-D/VideoFlash --out /data/CREMA-D-faces
  tubelet data check crema-d --root /data/CREMA-D-faces
  tubelet data faces folder --root clips --out faces

Videos, by the data set:
  crema-d      1001_DFA_ANG_XX.flv, wherever they lie
  ravdess      02-01-06-01-02-01-12.mp4, wherever they lie, without songs and clips with sound
  enterface05  subject 1/anger/sentence 1/s1_an_1.avi
  folder       any videos; folders below --root are kept

Faces are looked for five times a second, followed, smoothed, turned upright and cut with a
margin like that of OpenFace, which the published laboratory sets were made with. Of
several people the one who is seen largest and longest is cut. The detector is installed into
the cache folder at the first use (@vladmandic/face-api, 330 MB with what it runs on).`;

/** An argument that names one of several data sets. */
function nameArgument(names: readonly string[]): Argument {
  const expected = `one of ${names.join(', ')}`;
  const name = option.choice('<name>', expected, names);
  return new Argument('<name>', expected).argParser((text) => readValue('name', name, text));
}

/** The `data` command, for looking at data sets before they are used. */
export function dataCommand(): Command {
  const check = new Command('check')
    .description('compare a copy of a data set with what its owners publish, clip by clip')
    .addArgument(nameArgument(DATASET_NAMES))
    .addHelpText('after', CHECK_EXAMPLES + '\n' + LAYOUTS);
  checkOptions
    .addTo(check)
    .action((data: DatasetName) => dataCheck({ ...checkOptions.read(check).options, data }));
  const show = new Command('show')
    .description('print how many clips each class has in each part, and draw it')
    .addArgument(nameArgument(DATASET_NAMES))
    .addHelpText('after', LAYOUTS);
  showOptions
    .addTo(show)
    .action((data: DatasetName) => dataShow({ ...showOptions.read(show).options, data }));
  const faces = new Command('faces')
    .description('cut the faces out of a data set that is distributed as videos')
    .addArgument(nameArgument(FACE_SETS))
    .addHelpText('after', FACES_HELP);
  facesOptions.addTo(faces).action((set: FaceSet) => dataFaces({ ...facesOptions.read(faces).options, set }));
  return new Command('data')
    .description('check a copy of a data set, show its labels, or cut its faces')
    .addCommand(faces)
    .addCommand(check)
    .addCommand(show);
}

/** Which clips a data set has, and what its files say. */
import { CLASSES, type FaceClass } from './action-units.js';
import { FaceRandom } from './random.js';

/** Raised whenever the same settings give other clips. */
export const GENERATOR_VERSION = 2;

/** What decides the content of a data set. */
export interface FaceDataSettings {
  readonly seed: number;
  readonly subjects: number;
  /** Clips of each class of each person. */
  readonly clipsPerClass: number;
  /** Edge of the frames in pixels, even. */
  readonly size: number;
  readonly frames: number;
  readonly framesPerSecond: number;
  readonly folds: number;
  /** How much clips differ in what is not expression, 0 to 1. */
  readonly variety: number;
  /** Share of a clip for which its expression is whole at least; each class has its own pace at 0. */
  readonly hold: number;
}

export interface PlannedClip {
  /** Relative to the folder of the data set, with `/`. */
  readonly path: string;
  readonly expression: FaceClass;
  /** The fold that tests on it, counted from 1. */
  readonly fold: number;
  /** Name of the person. */
  readonly subject: string;
  readonly subjectIndex: number;
  /** Names the clip among all that the seed can give: more people or clips do not change those there were. */
  readonly clip: number;
}

/** The most clips of a class that a person can have. */
export const CLIPS_PER_CLASS_LIMIT = 100;

/** The fold of each person, as even as can be: people are shuffled and dealt out. */
export function subjectFolds({ seed, subjects, folds }: FaceDataSettings): number[] {
  const order = new FaceRandom(seed, 'folds', 0).shuffle(Array.from({ length: subjects }, (_, i) => i));
  const result = new Array<number>(subjects).fill(0);
  order.forEach((subject, position) => (result[subject] = 1 + (position % folds)));
  return result;
}

/** All clips of a data set, in the order of its label file: by person, class and number. */
export function planClips(settings: FaceDataSettings): PlannedClip[] {
  const folds = subjectFolds(settings);
  const digits = Math.max(2, String(settings.subjects).length);
  return folds.flatMap((fold, subjectIndex) =>
    CLASSES.flatMap((expression, label) =>
      Array.from({ length: settings.clipsPerClass }, (_, copy): PlannedClip => {
        const subject = `person-${String(subjectIndex + 1).padStart(digits, '0')}`;
        return {
          path: `clips/${subject}/${expression}-${copy + 1}.mp4`,
          clip: (subjectIndex * CLASSES.length + label) * CLIPS_PER_CLASS_LIMIT + copy,
          ...{ expression, fold, subject, subjectIndex },
        };
      }),
    ),
  );
}

/** Name of the list of the clips that fold `fold` does not test on: what may be pre-trained on for that fold. */
export const trainingListName = (fold: number): string => `train-fold-${fold}.txt`;

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');

/** The text files of a data set by their names, without `about.json`. */
export function labelFiles(
  { folds }: FaceDataSettings,
  clips: readonly PlannedClip[],
): Record<string, string> {
  const files: Record<string, string> = {
    'faces.csv': lines([
      'path,label,fold,subject',
      ...clips.map(({ path, expression, fold, subject }) => [path, expression, fold, subject].join(',')),
    ]),
    'classes.txt': lines(CLASSES),
  };
  for (let fold = 1; fold <= folds; fold++) {
    const training = clips.filter((clip) => clip.fold !== fold);
    files[trainingListName(fold)] = lines(training.map(({ path }) => path));
  }
  return files;
}

/** What `about.json` says. */
export interface About {
  readonly format: 'tubelet-faces';
  readonly generatorVersion: number;
  readonly note: string;
  readonly settings: FaceDataSettings;
  readonly clips: number;
  readonly classes: readonly string[];
  readonly ffmpeg: string;
}

const NOTE =
  'These faces are drawn by a program. They show no people and are not real data: results on them say nothing about ' +
  'facial expressions of people. Surprise and fear differ in the direction of time alone: fear is drawn as surprise ' +
  'and shown backwards.';

export function aboutDataSet(settings: FaceDataSettings, clips: number, ffmpeg: string): About {
  return {
    format: 'tubelet-faces',
    generatorVersion: GENERATOR_VERSION,
    note: NOTE,
    settings,
    clips,
    classes: CLASSES,
    ffmpeg,
  };
}

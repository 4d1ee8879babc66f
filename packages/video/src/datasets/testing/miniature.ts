/** Miniatures of the data sets in their real layouts, for tests: every class in both parts of every fold. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { DATASETS, type DatasetName } from '../protocols.js';

export interface MiniatureOptions {
  /** Frames of a clip; default 2. */
  readonly frames?: number;
  /** Edge of the frames in pixels; default 16. */
  readonly size?: number;
}

export interface Miniature {
  /** What `openDataset` takes: the folder, or the CSV file. */
  readonly root: string;
  /** Folders of the clips that the data set uses, absolute, in the order of their names. */
  readonly clips: readonly string[];
}

/** A clip to be written: its folder relative to the root, and its label. */
interface Clip {
  readonly folder: string;
  readonly label: number;
}

/** What is written: the clips, and text files by their path relative to the root. */
interface Plan {
  readonly extension: 'jpg' | 'png';
  readonly clips: readonly Clip[];
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Clips that the data set has and the protocol leaves out. */
  readonly leftOut?: readonly Clip[];
  /** The CSV file, where that is the root. */
  readonly rootFile?: string;
}

const pad = (number: number, digits: number) => String(number).padStart(digits, '0');
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** `each` of all pairs, the second index running fastest. */
const pairs = <T>(first: number, second: number, each: (first: number, second: number) => T): T[] =>
  range(first).flatMap((a) => range(second).map((b) => each(a, b)));

/** One clip of each class in the test part of each fold. */
function dfew(): Plan {
  const { classes, folds } = DATASETS.dfew;
  const clips = pairs(folds, classes.length, (fold, label) => {
    const number = fold * classes.length + label + 1;
    return { number, fold, label, folder: `Clip/jpg_256/${pad(number, 5)}` };
  });
  const files: Record<string, string[]> = {};
  for (const fold of range(folds)) {
    const lines = (wanted: (clip: (typeof clips)[number]) => boolean) => [
      'video_name,label',
      ...clips.filter(wanted).map(({ number, label }) => `${number},${label + 1}`),
    ];
    const file = `set_${fold + 1}.csv`;
    files[`EmoLabel_DataSplit/train(single-labeled)/${file}`] = lines((clip) => clip.fold !== fold);
    files[`EmoLabel_DataSplit/test(single-labeled)/${file}`] = lines((clip) => clip.fold === fold);
  }
  return { extension: 'jpg', clips, files };
}

/** Three clips of each class, the last for testing. */
function ferv39k(): Plan {
  const { classes } = DATASETS.ferv39k;
  const clips = pairs(3, classes.length, (turn, label) => {
    const name = `${turn === 1 ? 'Crime' : 'DailyLife'}/${classes[label]}/${pad(turn * 10 + label, 4)}`;
    return { name, turn, label, folder: `2_ClipsforFaceCrop/${name}` };
  });
  const lines = (isTest: boolean) =>
    clips.filter(({ turn }) => (turn === 2) === isTest).map(({ name, label }) => `${name} ${classes[label]}`);
  const files = {
    '4_setups/All_scenes/train_All.csv': lines(false),
    '4_setups/All_scenes/test_All.csv': lines(true),
  };
  return { extension: 'jpg', clips, files };
}

/** One clip of each class in the test part of each fold. */
function mafw(): Plan {
  const { classes, folds } = DATASETS.mafw;
  const clips = pairs(folds, classes.length, (fold, label) => {
    const name = pad(fold * classes.length + label + 1, 5);
    return { name, fold, label, folder: `data/frames/${name}` };
  });
  const files: Record<string, string[]> = {};
  for (const fold of range(folds)) {
    const lines = (isTest: boolean) =>
      clips
        .filter((clip) => (clip.fold === fold) === isTest)
        .map(({ name, label }) => `${name}.mp4 ${classes[label]}`);
    files[`split/single/no_caption/set_${fold + 1}/train.txt`] = lines(false);
    files[`split/single/no_caption/set_${fold + 1}/test.txt`] = lines(true);
  }
  return { extension: 'png', clips, files };
}

/** Each class by the first and the last actor of the test part of each fold. */
function cremaD(): Plan {
  const { classes } = DATASETS['crema-d'];
  const actors = [1001, 1018, 1019, 1036, 1037, 1054, 1055, 1072, 1073, 1091];
  const clips = pairs(actors.length, classes.length, (index, label) => ({
    folder: `face_aligned/${actors[index]}_DFA_${classes[label]}_XX`,
    label,
  }));
  return { extension: 'jpg', clips, files: {} };
}

/** Each class by one actor of the test part of each fold; of the first, a song and a clip with sound too. */
function ravdess(): Plan {
  const { classes } = DATASETS.ravdess;
  const actors = [1, 8, 9, 16, 17, 24].map((actor) => pad(actor, 2));
  const clips = pairs(actors.length, classes.length, (index, label) => ({
    folder: `face_aligned/Actor_${actors[index]}/02-01-${pad(label + 1, 2)}-01-01-01-${actors[index]}`,
    label,
  }));
  const leftOut = ['02-02-03-01-01-01-01', '01-01-03-01-01-01-01'];
  return {
    extension: 'jpg',
    clips,
    files: {},
    leftOut: leftOut.map((name) => ({ folder: `face_aligned/Actor_01/${name}`, label: 2 })),
  };
}

/** Each class by the first and the last subject of the test part of each fold. */
function enterface05(): Plan {
  const { classes } = DATASETS.enterface05;
  const subjects = [1, 10, 11, 19, 20, 28, 29, 37, 38, 44];
  const clips = pairs(subjects.length, classes.length, (index, label) => {
    const [subject, emotion] = [subjects[index], classes[label] as string];
    const clip = `s${subject}_${emotion.slice(0, 2)}_1`;
    return { folder: `face_aligned/subject_${subject}/${emotion}/sentence_1/${clip}`, label };
  });
  return { extension: 'jpg', clips, files: {} };
}

/** Three classes, three folds, two subjects a fold. */
function csv(): Plan {
  const classes = ['frown', 'neutral', 'smile'];
  const clips = pairs(6, classes.length, (subject, label) => ({
    folder: `clips/person${subject + 1}-${classes[label]}`,
    label,
    line: `clips/person${subject + 1}-${classes[label]},${classes[label]},${(subject >> 1) + 1},person${subject + 1}`,
  }));
  const files = {
    'classes.txt': classes,
    'videos.csv': ['path,label,fold,subject', ...clips.map(({ line }) => line)],
  };
  return { extension: 'jpg', clips, files, rootFile: 'videos.csv' };
}

const PLANS: Readonly<Record<DatasetName, () => Plan>> = {
  dfew,
  ferv39k,
  mafw,
  'crema-d': cremaD,
  ravdess,
  enterface05,
  csv,
};

function writeFile(file: string, content: string | Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** A picture whose brightness grows with the label, with two squares of its own for every `index` below 256. */
function picture(index: number, label: number, size: number): Uint8Array {
  const pixels = new Uint8Array(size * size * 3).fill(label * 20);
  const edge = size / 4;
  for (const [cell, channel] of [
    [index % 16, 0],
    [index >> 4, 2],
  ] as const) {
    const [top, left] = [Math.floor(cell / 4) * edge, (cell % 4) * edge];
    for (let y = Math.floor(top); y < top + edge; y++) {
      for (let x = Math.floor(left); x < left + edge; x++) pixels[(y * size + x) * 3 + channel] = 255;
    }
  }
  return pixels;
}

/**
 * Writes the miniature of a data set into a folder. All frames of a clip are the same picture, which no other clip
 * has, and whose brightness grows with the label.
 */
export async function writeMiniature(
  name: DatasetName,
  folder: string,
  { frames = 2, size = 16 }: MiniatureOptions = {},
): Promise<Miniature> {
  const plan = PLANS[name]();
  const raw = { width: size, height: size, channels: 3 } as const;
  for (const [index, { folder: clip, label }] of [...plan.clips, ...(plan.leftOut ?? [])].entries()) {
    const image = await sharp(picture(index, label, size), { raw })
      .toFormat(plan.extension === 'jpg' ? 'jpeg' : 'png')
      .toBuffer();
    for (const frame of range(frames)) {
      writeFile(join(folder, clip, `${pad(frame + 1, 5)}.${plan.extension}`), image);
    }
  }
  for (const [file, lines] of Object.entries(plan.files)) {
    writeFile(join(folder, file), `${lines.join('\n')}\n`);
  }
  return {
    root: plan.rootFile === undefined ? folder : join(folder, plan.rootFile),
    clips: plan.clips.map((clip) => join(folder, clip.folder)).sort(),
  };
}

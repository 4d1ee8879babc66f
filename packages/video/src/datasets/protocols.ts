/** The published protocols: classes, folds and sizes of the data sets, and how their owners lay them out. */

/** Sizes of the parts of a fold, in videos. */
export interface SplitSize {
  readonly train: number;
  readonly test: number;
}

/** What has been published about the size of a data set. */
export interface PublishedSizes {
  /** Videos of the whole protocol. */
  readonly total: number;
  /** Of each fold, fold 1 first; left out where only the total is known. */
  readonly splits?: readonly SplitSize[];
  /** Of each class over the whole protocol, in the order of the labels, where known. */
  readonly classes?: readonly number[];
  /** People, where the data set tells them apart. */
  readonly subjects?: number;
}

/** What is known of a data set before it is opened. */
export interface DatasetProtocol {
  /** As its owners write it. */
  readonly title: string;
  /** Distance between two frames of a clip in the published recipes, in frames of the video. */
  readonly frameStep: number;
  /** What the names of frames end in; left out where any that can be read will do. */
  readonly frameExtension?: '.jpg' | '.png';
  /** Whether its crops are aligned as `data faces` aligns them, by OpenFace; left out where that is not known. */
  readonly alignedFaces?: boolean;
  /** What is expected on the disk, in words; paths are relative to the root. */
  readonly layout: string;
  /** In the order of their labels; left out where the user names them. */
  readonly classes?: readonly string[];
  /** Left out where the user's file decides. */
  readonly folds?: number;
  readonly published?: PublishedSizes;
}

/** A protocol that is published, with all that this tells. */
export interface PublishedProtocol extends DatasetProtocol {
  readonly classes: readonly string[];
  readonly folds: number;
  readonly published: PublishedSizes;
}

/** The published data sets, as `--data` takes them. */
export const PUBLISHED_NAMES = ['dfew', 'ferv39k', 'mafw', 'crema-d', 'ravdess', 'enterface05'] as const;
/** A data set or split of it that results are published for. */
export type PublishedName = (typeof PUBLISHED_NAMES)[number];

/** All names that `openDataset` knows: the published data sets, and `csv` for one's own. */
export const DATASET_NAMES = [...PUBLISHED_NAMES, 'csv'] as const;
/** A data set that can be opened. */
export type DatasetName = (typeof DATASET_NAMES)[number];

/**
 * The protocols. Sources: the papers of the data sets and the split files that their owners distribute. The folds of
 * CREMA-D, RAVDESS and eNTERFACE05 are the subject-independent ones of the MAE-DFER paper (Sun et al., 2023).
 */
export const DATASETS: Readonly<Record<PublishedName, PublishedProtocol>> & {
  readonly csv: DatasetProtocol;
} = {
  dfew: {
    title: 'DFEW',
    classes: ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear'],
    folds: 5,
    frameStep: 4,
    frameExtension: '.jpg',
    layout:
      'Clip/jpg_256/00001/*.jpg (the clips in their original length, not jpg_224_16f), and ' +
      'EmoLabel_DataSplit/train(single-labeled)/set_1.csv … set_5.csv and EmoLabel_DataSplit/test(single-labeled)/ ' +
      'likewise, with the columns video_name and label (1 to 7)',
    published: {
      total: 11_697,
      splits: [
        { train: 9356, test: 2341 },
        { train: 9356, test: 2341 },
        { train: 9357, test: 2340 },
        { train: 9358, test: 2339 },
        { train: 9361, test: 2336 },
      ],
    },
  },
  ferv39k: {
    title: 'FERV39k',
    classes: ['Happy', 'Sad', 'Neutral', 'Angry', 'Surprise', 'Disgust', 'Fear'],
    folds: 1,
    frameStep: 1,
    frameExtension: '.jpg',
    layout:
      '2_ClipsforFaceCrop/<scene>/<emotion>/<clip>/*.jpg, and 4_setups/All_scenes/train_All.csv and test_All.csv with ' +
      'lines <scene>/<emotion>/<clip> <emotion>',
    published: { total: 38_935, splits: [{ train: 31_088, test: 7847 }] },
  },
  mafw: {
    title: 'MAFW',
    classes: [
      'anger',
      'disgust',
      'fear',
      'happiness',
      'neutral',
      'sadness',
      'surprise',
      'contempt',
      'anxiety',
      'helplessness',
      'disappointment',
    ],
    folds: 5,
    frameStep: 4,
    frameExtension: '.png',
    layout:
      'data/frames/00001/*.png (the face frames that the owners distribute), and ' +
      'split/single/no_caption/set_1/train.txt and test.txt … set_5/ with lines 00025.mp4 anger',
    published: {
      total: 9172,
      splits: [
        { train: 7333, test: 1839 },
        { train: 7335, test: 1837 },
        { train: 7339, test: 1833 },
        { train: 7340, test: 1832 },
        { train: 7341, test: 1831 },
      ],
    },
  },
  'crema-d': {
    title: 'CREMA-D',
    classes: ['ANG', 'DIS', 'FEA', 'HAP', 'NEU', 'SAD'],
    folds: 5,
    frameStep: 4,
    alignedFaces: true,
    frameExtension: '.jpg',
    layout:
      'face_aligned/1001_DFA_ANG_XX/*.jpg: one folder of aligned faces for each clip, named like it; actors 1001 to 1091',
    published: { total: 7442, classes: [1271, 1271, 1271, 1271, 1087, 1271], subjects: 91 },
  },
  ravdess: {
    title: 'RAVDESS',
    classes: ['neutral', 'calm', 'happy', 'sad', 'angry', 'fearful', 'disgust', 'surprised'],
    folds: 6,
    frameStep: 4,
    alignedFaces: true,
    frameExtension: '.jpg',
    layout:
      'face_aligned/Actor_01/02-01-01-01-01-01-01/*.jpg: one folder of aligned faces for each speech clip ' +
      '(video-only, names starting with 02-01), named like it, in the folder of its actor; actors 01 to 24',
    published: {
      total: 1440,
      splits: Array.from({ length: 6 }, () => ({ train: 1200, test: 240 })),
      classes: [96, 192, 192, 192, 192, 192, 192, 192],
      subjects: 24,
    },
  },
  enterface05: {
    title: 'eNTERFACE05',
    classes: ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    folds: 5,
    frameStep: 4,
    alignedFaces: true,
    frameExtension: '.jpg',
    layout:
      'face_aligned/subject_1/anger/sentence_1/s1_an_1/*.jpg: one folder of aligned faces for each clip, named like ' +
      'it; subjects 1 to 44 without 6',
    published: { total: 1287, subjects: 43 },
  },
  csv: {
    title: 'CSV',
    frameStep: 4,
    layout:
      'a CSV file with the header path,label and optionally fold and subject: paths of videos or folders of frames ' +
      'relative to the file, and beside it classes.txt with the names of the classes in the order of their labels, ' +
      'one a line',
  },
};

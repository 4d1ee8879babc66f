/** What a labelled data set is, whatever its layout on the disk. */

/** A video of a labelled data set. */
export interface LabelledVideo {
  /** Names it within its data set, the same on every machine: its path relative to the root, with `/`. */
  readonly id: string;
  /** Absolute: a video file or a folder of frames. */
  readonly path: string;
  /** Its class, 0 … K − 1. */
  readonly label: number;
  /** The person to be seen, where the data set tells. */
  readonly subject?: string;
  /** File and line that list it, such as `split/train.csv:12`; absent where the folders themselves are the list. */
  readonly listedAt?: string;
}

/** The videos of a fold. */
export interface DatasetSplit {
  readonly train: readonly LabelledVideo[];
  /** Empty where a data set has no test part of its own. */
  readonly test: readonly LabelledVideo[];
}

/** An entry of a label file, or a file of a folder, that is not a labelled video. */
export interface DatasetProblem {
  /** File and line, or folder. */
  readonly where: string;
  /** What is wrong, with the value. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** An opened data set. */
export interface Dataset {
  /** As `--data` takes it, such as `dfew`. */
  readonly name: string;
  /** As its owners write it, such as `DFEW`. */
  readonly title: string;
  /** Absolute: the folder, or the CSV file of a data set of one's own. */
  readonly root: string;
  /** Names of the classes in the order of their labels. */
  readonly classes: readonly string[];
  /** How many folds its protocol has, 1 where there is one split; folds are counted from 1. */
  readonly folds: number;
  /** What lies among the clips and is deliberately not used, such as the songs of RAVDESS. */
  readonly leftOut?: readonly DatasetProblem[];
  /**
   * The videos of a fold in the order of its label files.
   *
   * @throws RangeError for a fold that it does not have; DatasetError when the fold's files are missing or wrong.
   */
  split(fold: number): DatasetSplit;
}

/**
 * A data set that cannot be used: its folder, a label file or a line of one is missing or wrong. Nothing of it is
 * passed over in silence.
 */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';

  constructor(readonly problems: readonly DatasetProblem[]) {
    const shown = problems
      .slice(0, 5)
      .map(({ where, problem, remedy }) => `${where}: ${problem}. ${remedy}`)
      .join('\n');
    super(problems.length > 5 ? `${shown}\n… and ${problems.length - 5} more like these` : shown);
  }
}

/** Features of videos as safetensors, CSV and JSON lines. */
import { encodeSafetensorsChunks, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { csvRecord, type FilePiece } from '@tubelet/trainer/formats';

export const FEATURE_FORMATS = ['safetensors', 'csv', 'jsonl'] as const;
export type FeatureFormat = (typeof FEATURE_FORMATS)[number];

/** What is written of a video. */
export interface EmbeddedVideo {
  readonly id: string;
  /** The fold whose classifier saw it, where there is one for each fold. */
  readonly fold?: number;
  /** Index of its label's name; null where it is not known. */
  readonly label: number | null;
  /** Index of the class that the classifier takes it for. */
  readonly predicted: number;
  /** [K], sum 1. */
  readonly probabilities: readonly number[];
  /** [C]: mean of the features of its clips. */
  readonly feature: Float32Array<ArrayBuffer>;
}

export interface FeatureNames {
  /** Of the classifier's classes, in the order of probabilities. */
  readonly classNames: readonly string[];
  /** Null where no video has a label. */
  readonly labelNames: readonly string[] | null;
}

/** The content of a file of features. CSV and JSON lines come video by video; safetensors once all are there. */
export function featurePieces(
  format: FeatureFormat,
  videos: AsyncIterable<EmbeddedVideo>,
  names: FeatureNames,
): AsyncGenerator<FilePiece, void> {
  if (format === 'safetensors') return tensorPieces(videos, names);
  return format === 'csv' ? csvPieces(videos, names) : jsonPieces(videos, names);
}

/** The shortest decimal that gives the same single-precision number again. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return Number(text);
  }
  return Number(value.toPrecision(9));
}

async function* csvPieces(
  videos: AsyncIterable<EmbeddedVideo>,
  { classNames, labelNames }: FeatureNames,
): AsyncGenerator<FilePiece, void> {
  let isFirst = true;
  for await (const { id, fold, label, predicted, feature } of videos) {
    if (isFirst) {
      const columns = Array.from(feature, (_, i) => `f${i}`);
      yield csvRecord([
        ...(fold === undefined ? [] : ['fold']),
        'id',
        ...(labelNames ? ['label'] : []),
        'predicted',
        ...columns,
      ]);
      isFirst = false;
    }
    const labelName = label === null ? '' : labelNames![label]!;
    yield csvRecord([
      ...(fold === undefined ? [] : [fold]),
      id,
      ...(labelNames ? [labelName] : []),
      classNames[predicted]!,
      ...Array.from(feature, shortest),
    ]);
  }
}

async function* jsonPieces(
  videos: AsyncIterable<EmbeddedVideo>,
  { classNames, labelNames }: FeatureNames,
): AsyncGenerator<FilePiece, void> {
  for await (const { id, fold, label, predicted, feature } of videos) {
    const record = {
      fold,
      id,
      label: label === null ? undefined : labelNames![label],
      predicted: classNames[predicted],
      feature: Array.from(feature, shortest),
    };
    yield `${JSON.stringify(record)}\n`;
  }
}

async function* tensorPieces(
  videos: AsyncIterable<EmbeddedVideo>,
  names: FeatureNames,
): AsyncGenerator<FilePiece, void> {
  const all: EmbeddedVideo[] = [];
  for await (const video of videos) all.push(video);
  yield* encodeSafetensorsChunks(featureTensors(all, names), featureMetadata(all, names)).chunks;
}

/**
 * `features` [N, C], `probabilities` [N, K], `predicted` [N]; where there are labels, `labels` [N] (−1: unknown), and
 * where each fold has a classifier of its own, `folds` [N].
 */
function featureTensors(
  videos: readonly EmbeddedVideo[],
  { labelNames }: FeatureNames,
): Map<string, SafetensorsTensor> {
  const numbers = (rows: readonly ArrayLike<number>[]): SafetensorsTensor => {
    const width = rows[0]!.length;
    const data = new Float32Array(rows.length * width);
    rows.forEach((row, i) => data.set(row, i * width));
    return { dtype: 'F32', shape: [rows.length, width], data };
  };
  const indices = (values: readonly number[]): SafetensorsTensor => ({
    dtype: 'I32',
    shape: [values.length],
    data: Int32Array.from(values),
  });
  const tensors = new Map([
    ['features', numbers(videos.map(({ feature }) => feature))],
    ['probabilities', numbers(videos.map(({ probabilities }) => probabilities))],
    ['predicted', indices(videos.map(({ predicted }) => predicted))],
  ]);
  if (labelNames) tensors.set('labels', indices(videos.map(({ label }) => label ?? -1)));
  const folds = videos.flatMap(({ fold }) => fold ?? []);
  if (folds.length > 0) tensors.set('folds', indices(folds));
  return tensors;
}

/** Lists as JSON: `ids` of the rows, `classNames`, and `labelNames` where there are labels. */
function featureMetadata(
  videos: readonly EmbeddedVideo[],
  { classNames, labelNames }: FeatureNames,
): Record<string, string> {
  return {
    ids: JSON.stringify(videos.map(({ id }) => id)),
    classNames: JSON.stringify(classNames),
    ...(labelNames && { labelNames: JSON.stringify(labelNames) }),
  };
}

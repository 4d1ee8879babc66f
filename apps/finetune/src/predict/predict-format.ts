/** Predictions as text for people, as JSON lines and as CSV. */
import { csvRecord } from '@tubelet/trainer/formats';

export const PREDICTION_FORMATS = ['text', 'jsonl', 'csv'] as const;
export type PredictionFormat = (typeof PREDICTION_FORMATS)[number];

/** What is written about a video or a window of one. */
export interface Prediction {
  readonly path: string;
  /** As the list of videos gives it. */
  readonly label?: string;
  /** Counted from 1, where faces were cut out of the video. */
  readonly person?: number;
  /** The part that was looked at, where it is not the whole video. */
  readonly window?: { readonly startSeconds: number; readonly endSeconds: number };
  /** [K], sum 1. */
  readonly probabilities: readonly number[];
  /** The class with the greatest probability. */
  readonly predicted: number;
  /** How many clips of the video the probabilities are the mean of. */
  readonly clips: number;
}

/** What there is to know about predictions before the first of them. */
export interface FormatOptions {
  readonly classNames: readonly string[];
  /** Whether any of the videos has a label. */
  readonly labelled: boolean;
  readonly windowed: boolean;
  /** Whether answers are of people in videos. */
  readonly people: boolean;
  /** Text: how many classes are named; all in a list of their own where there is one video alone. */
  readonly top: number;
  readonly single: boolean;
}

/** Writes predictions, one piece of text after the other. */
export interface PredictionWriter {
  /** What comes before the first prediction. */
  readonly header: string;
  format(prediction: Prediction): string;
}

/** The writer of a format. */
export function predictionWriter(format: PredictionFormat, options: FormatOptions): PredictionWriter {
  if (format === 'jsonl') return jsonWriter(options);
  return format === 'csv' ? csvWriter(options) : textWriter(options);
}

/** Six decimals: single precision has no more to tell. */
const rounded = (probability: number): number => Number(probability.toFixed(6));

function jsonWriter({ classNames }: FormatOptions): PredictionWriter {
  return {
    header: '',
    format({ path, label, person, window, probabilities, predicted, clips }) {
      const named = Object.fromEntries(classNames.map((name, k) => [name, rounded(probabilities[k]!)]));
      const record = {
        path,
        label,
        person,
        ...window,
        predicted: classNames[predicted],
        probabilities: named,
        clips,
      };
      return `${JSON.stringify(record)}\n`;
    },
  };
}

function csvWriter({ classNames, labelled, windowed, people }: FormatOptions): PredictionWriter {
  return {
    header: csvRecord([
      'path',
      ...(labelled ? ['label'] : []),
      ...(people ? ['person'] : []),
      ...(windowed ? ['start_seconds', 'end_seconds'] : []),
      'predicted',
      ...classNames.map((name) => `p_${name}`),
      'clips',
    ]),
    format: ({ path, label, person, window, probabilities, predicted, clips }) =>
      csvRecord([
        path,
        ...(labelled ? [label ?? ''] : []),
        ...(people ? [person ?? ''] : []),
        ...(window ? [window.startSeconds, window.endSeconds] : []),
        classNames[predicted]!,
        ...probabilities.map(rounded),
        clips,
      ]),
  };
}

const percent = (probability: number): string => `${(100 * probability).toFixed(1)} %`;
const BAR_WIDTH = 30;

function textWriter({ classNames, top, single }: FormatOptions): PredictionWriter {
  const likeliest = (probabilities: readonly number[]) =>
    probabilities
      .map((probability, k) => ({ name: classNames[k]!, probability }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top);
  const inOneLine = (probabilities: readonly number[]) =>
    likeliest(probabilities)
      .map(({ name, probability }) => `${name} ${percent(probability)}`)
      .join(', ');
  const nameWidth = Math.max(...classNames.map(({ length }) => length));
  const asBars = (probabilities: readonly number[]) =>
    likeliest(probabilities)
      .map(({ name, probability }) => {
        const bar = '█'.repeat(Math.round(probability * BAR_WIDTH));
        return `  ${name.padEnd(nameWidth)}  ${percent(probability).padStart(7)}  ${bar}`.trimEnd();
      })
      .join('\n');
  let lastPath: string | undefined;
  const format = ({ path, label, person, window, probabilities, clips }: Prediction): string => {
    const who = person === undefined ? path : `${path}, person ${person}`;
    const name = label === undefined ? who : `${who} (label ${label})`;
    if (window === undefined) {
      if (!single) return `${name}: ${inOneLine(probabilities)}\n`;
      return `${name}, ${clips === 1 ? '1 clip' : `mean of ${clips} clips`}:\n${asBars(probabilities)}\n`;
    }
    const heading = path === lastPath ? '' : `${name}:\n`;
    lastPath = path;
    const [from, to] = [window.startSeconds, window.endSeconds].map((time) => time.toFixed(2).padStart(7));
    return `${heading}${from} s –${to} s  ${inOneLine(probabilities)}\n`;
  };
  return { header: '', format };
}

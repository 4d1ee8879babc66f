import { classificationMetrics, mergeViews, type ViewScore } from '@tubelet/trainer';
import {
  GoldenFolderError,
  numberField,
  numbersField,
  objectField,
  tableField,
  type GoldenTensors,
  type Json,
} from '../golden-folder.js';
import type { Report } from '../report.js';

const WHERE = 'manifest_data.json, evaluation';
const PERCENT = 100;

/** Scores of videos merged from their views, and what follows from them. */
export function evaluationCase(expected: Json, tensors: GoldenTensors, report: Report): void {
  const logits = tensors.get('eval.logits');
  if (!logits) throw new GoldenFolderError('data.safetensors has no "eval.logits"');
  const [, clips, crops, classes] = logits.shape as [number, number, number, number];
  const labels = numbersField(expected, 'labels', WHERE);
  const predictions = objectField(expected, 'pred', WHERE);
  const ids = Object.keys(predictions);
  const view = (video: number, clip: number, crop: number): ViewScore => {
    const start = ((video * clips + clip) * crops + crop) * classes;
    return {
      id: ids[video]!,
      label: labels[video]!,
      clip,
      crop,
      logits: logits.data.subarray(start, start + classes),
    };
  };
  const views = ids.flatMap((_, video) =>
    [...Array(clips).keys()].flatMap((clip) =>
      [...Array(crops).keys()].map((crop) => view(video, clip, crop)),
    ),
  );
  // Ranks that share a data set may score a view twice: it counts once.
  const scores = mergeViews([...views, ...views.slice(0, crops)]);
  const classNames = Array.from({ length: classes }, (_, k) => `class ${k}`);
  const metrics = classificationMetrics(scores, classNames);

  const compare = (what: string, actual: number, value: number) =>
    report.compareScalar('evaluation', what, 'forward', actual, value);
  report.compare(
    'evaluation',
    'predicted classes',
    'exact',
    scores.map(({ predicted }) => predicted),
    ids.map((id) => numberField(predictions, id, WHERE)),
  );
  report.compare(
    'evaluation',
    'confusion matrix',
    'exact',
    metrics.confusion.flat(),
    tableField(expected, 'confusion_rows_true', WHERE),
  );
  compare('top 1', PERCENT * metrics.war, numberField(expected, 'top1', WHERE));
  // Of five classes, all are among the five most probable, and no figure is made of it.
  compare('top 5', PERCENT * (metrics.top5 ?? 1), numberField(expected, 'top5', WHERE));
  compare('UAR', metrics.uar, numberField(expected, 'uar', WHERE));
  compare('WAR', metrics.war, numberField(expected, 'war', WHERE));
  compare('weighted F1', metrics.weightedF1, numberField(expected, 'weighted_f1', WHERE));
  compare('macro F1', metrics.macroF1, numberField(expected, 'macro_f1', WHERE));
}

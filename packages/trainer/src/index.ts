export { barChart, type BarChartOptions, type BarSeries } from './charts/bar-chart.js';
export { confusionMatrixChart, type ConfusionMatrixOptions } from './charts/confusion-matrix.js';
export {
  labelDistributionChart,
  type LabelDistributionOptions,
  type LabelGroup,
} from './charts/label-distribution.js';
export { lineChart, type Curve, type LineChartOptions } from './charts/line-chart.js';
export { classColour, classSymbol } from './charts/palette.js';
export { pictureGrid } from './charts/picture-grid.js';
export { escapeMarkup } from './markup.js';
export { svgToPng, type PngOptions } from './charts/png.js';
export { scatterChart, type ScatterChartOptions, type ScatterPoint } from './charts/scatter-chart.js';
export { timelineChart, type TimelineOptions, type TimelinePoint } from './charts/timeline-chart.js';
export * from './checkpoint.js';
export * from './checkpoint-errors.js';
export * from './checkpoint-folder.js';
export { readPytorchFile } from './pytorch-file.js';
export * from './cli.js';
export { OptionError, UserError } from './errors.js';
export { csvRecord } from './csv.js';
export { titleOf, type EvaluationContext, type PublishedFigures } from './evaluation/context.js';
export * from './evaluation/evaluation.js';
export { evaluationJson, readEvaluation, readResult, readableJson } from './evaluation/evaluation-json.js';
export { renderEvaluation } from './evaluation/evaluation-page.js';
export * from './evaluation/folds.js';
export {
  classificationMetrics,
  metricsOfConfusion,
  type ClassificationMetrics,
  type ClassMetrics,
} from './evaluation/metrics.js';
export * from './evaluation/write-evaluation.js';
export { argmax, mergeViews, softmax, type VideoScore, type ViewScore } from './evaluation/views.js';
export { fileReader } from './file-reader.js';
export {
  FileWriteError,
  writeFileInPieces,
  writeTextFile,
  type FilePiece,
  type PiecesOptions,
  type WriteFileSystem,
  type WriteHandle,
} from './file-write.js';
export * from './findings-text.js';
export { RateMeter, SKIPPED_STEPS, type Metrics } from './meters.js';
export * from './options/encoder-options.js';
export * as option from './options/option-kinds.js';
export { withoutEffect, type Options, type ValuesOf } from './options/option-kinds.js';
export * from './options/option-set.js';
export * from './options/training-options.js';
export * from './paper/paper-tables.js';
export * from './program.js';
export * from './progress.js';
export { htmlPage, type ReportSection, type ReportTable } from './html.js';
export { renderReport, writeReport } from './report.js';
export { readReportData, type EpochMean, type ReportData, type Series } from './report-data.js';
export * from './run-folder.js';
export { RunLog, readLog, type LogRecord } from './run-log.js';
export { runsCommand } from './run-overview/runs-command.js';
export * from './stop-signal.js';
export { textTable } from './text-table.js';
export { TensorBoardWriter } from './tensorboard.js';
export * from './training/bad-files.js';
export * from './training/divergence.js';
export * from './training/dry-step.js';
export * from './training/epoch-reader.js';
export * from './training/loop.js';
export * from './training/memory-report.js';
export * from './training/precision.js';
export { shareContent } from './training/ranks.js';
export * from './training/settings.js';
export * from './training/task.js';
export * from './training/train-run.js';
export * from './training/train-step.js';
export * from './training/training-tensors.js';

export { barChart } from './charts/bar-chart.js';
export { confusionMatrixChart } from './charts/confusion-matrix.js';
export { labelDistributionChart, type LabelGroup } from './charts/label-distribution.js';
export { lineChart } from './charts/line-chart.js';
export { classColour } from './charts/palette.js';
export { pictureGrid } from './charts/picture-grid.js';
export { svgToPng } from './charts/png.js';
export { scatterChart } from './charts/scatter-chart.js';
export { timelineChart } from './charts/timeline-chart.js';
export { runCli } from './program/cli.js';
export { LoneOptionError, OptionError, UserError } from './errors.js';
export { titleOf, type EvaluationContext, type PublishedFigures } from './evaluation/context.js';
export { evaluationJson, readEvaluation, readResult } from './evaluation/evaluation-json.js';
export { renderEvaluation } from './evaluation/evaluation-page.js';
export { evaluationOf, type Evaluation, type LeftOutVideo } from './evaluation/evaluation.js';
export { mergeFolds, type MergedEvaluation } from './evaluation/folds.js';
export {
  classificationMetrics,
  metricsOfConfusion,
  type ClassificationMetrics,
} from './evaluation/metrics.js';
export { mergeViews, softmax, type VideoScore, type ViewScore } from './evaluation/views.js';
export { evaluationPath, writeEvaluation } from './evaluation/write-evaluation.js';
export { counted, formatFindings, formatTally, tally } from './report/findings-text.js';
export { htmlPage, type ReportSection } from './report/html.js';
export { escapeMarkup } from './report/markup.js';
export { RateMeter, type Metrics } from './program/meters.js';
export {
  clipOptions,
  cropOption,
  faceCropOption,
  encoderConfig,
  encoderOptions,
  requireFittingWidth,
  type EncoderOptions,
} from './options/encoder-options.js';
export { withoutEffect, type ValuesOf } from './options/option-kinds.js';
export * as option from './options/option-kinds.js';
export { optionSet, readValue, type ValuesOfSet } from './options/option-set.js';
export {
  debugOption,
  folderOptions,
  gpuOption,
  requireFittingTraining,
  runningOptions,
  stepOptions,
  workersOption,
} from './options/training-options.js';
export {
  MAE_DFER,
  PAPER_FOLDS,
  PAPER_LOSS_WEIGHTS,
  PAPER_TABLES,
  rowOf,
  VIDEOMAE_KINETICS,
  VIDEOMAE_VOXCELEB2,
  type ComparedOn,
  type ComparedRow,
  type MethodRow,
  type PrintedRecall,
} from './paper/paper-tables.js';
export { runProgram } from './program/program.js';
export { createCounter, createProgress, formatDuration, type Counter } from './program/progress.js';
export { readReportData } from './report/report-data.js';
export { renderReport, writeReport } from './report/report.js';
export {
  createRun,
  hasBegun,
  logPath,
  readRunConfig,
  requireSameSettings,
  type JsonValue,
  type RunConfig,
  type RunFolder,
} from './run/run-folder.js';
export { readLog, RunLog, type LogRecord } from './run/run-log.js';
export { runsCommand } from './run-overview/runs-command.js';
export { stopOnSignals } from './program/stop-signal.js';
export { BadFiles } from './training/bad-files.js';
export { TrainingDivergedError } from './training/divergence.js';
export { deviceOf, dryTraining, measureMemory, memoryOnPaper, type StepMemory } from './training/dry-step.js';
export { EpochReader, type EpochSource } from './training/epoch-reader.js';
export { positionOfStep, runSteps, type TrainingResult } from './training/loop.js';
export { memoryReport, memoryReportOn } from './training/memory-report.js';
export { openLoader, type LoaderSettings, type SharedLoaderOptions } from './training/open-loader.js';
export { inFullPrecision } from './training/precision.js';
export { requireSameShare, shareContent } from './training/ranks.js';
export { savedSettings } from './training/settings.js';
export type {
  FirstWeights,
  RankShare,
  RunContext,
  SteppedModel,
  Task,
  TaskData,
  Trainable,
  TrainedModel,
} from './training/task.js';
export { trainRun } from './training/train-run.js';
export { trainingStep, type StepSurroundings } from './training/train-step.js';
export {
  checkpointStep,
  checkpointWeights,
  readTraining,
  restoreTraining,
} from './training/training-tensors.js';

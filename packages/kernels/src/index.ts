export { adamwStep, adamwStepData } from './adamw/adamw.js';
export { attentionBackward } from './attention-backward/attention-backward.js';
export { attention } from './attention/attention.js';
export { columnSum } from './column-sum/column-sum.js';
export { softCrossEntropy, softCrossEntropyBackward } from './cross-entropy/cross-entropy.js';
export { createDropPathBranches, dropPathScales, dropPathScalesHost } from './drop-path/drop-path.js';
export { fill } from './elementwise/fill.js';
export { emaUpdate } from './ema/ema.js';
export { gelu, geluBackward } from './gelu/gelu.js';
export { gradientNorm } from './gradient-norm/gradient-norm.js';
export { layerNormBackward } from './layer-norm/layer-norm-backward.js';
export { layerNorm } from './layer-norm/layer-norm.js';
export { LOSS_SCALE_STATE, scaledCotangent, updateLossScale } from './loss-scale/loss-scale.js';
export { IMAGENET_MEAN, IMAGENET_STD } from './masked-video/cubes/clip-geometry.js';
export { extractCubes, extractCubesFromVideo } from './masked-video/cubes/cubes.js';
export { reconstructionTargets, reconstructionTargetsFromVideo } from './masked-video/targets/targets.js';
export { tubeMask } from './masked-video/tube-mask/tube-mask.js';
export {
  MaskError,
  maskFromBooleans,
  tubeMaskHost,
  windowMaskCounts,
  type MaskDesign,
  type WindowMaskCounts,
} from './masked-video/tube-mask/window-mask.js';
export { twoPartLoss, twoPartLossBackward } from './masked-video/two-part-loss/two-part-loss.js';
export type { MatmulOperands, RowSums } from './matmul/matmul-operands.js';
export { matmul } from './matmul/matmul.js';
export { meanRows, meanRowsBackward } from './mean-rows/mean-rows.js';
export { mse, mseBackward } from './mse/mse.js';
export { PartialSums, type RowPiece } from './partial-sums/partial-sums.js';
export {
  createPhiloxKey,
  philoxFunctions,
  philoxKeyWords,
  writePhiloxKey,
  type PhiloxKeySource,
  type PhiloxKeyWords,
} from './philox/philox-key.js';
export {
  philox4x32,
  philoxKey,
  PhiloxStream,
  streamPurpose,
  type PhiloxStreamKey,
  type StreamPurpose,
} from './philox/philox.js';
export { affineRecord, seeThroughMaps, type AffineMatrix } from './pixels/affine/affine.js';
export { cropRecord, cropVideo, neighbourWords, type Noise } from './pixels/crop-video/crop-video.js';
export { mixClips, type Mix, type MixBox } from './pixels/mix-clips/mix-clips.js';
export { packFrames } from './pixels/pack-frames/pack-frames.js';
export { filterWords, resampleFrames, resampleRecord, type PixelLayout } from './pixels/resample/resample.js';
export {
  autoContrastShortfalls,
  makeToneTables,
  TONE_TABLES_WORDS,
  toneTablesRecord,
} from './pixels/tone-tables/tone-tables.js';
export { applyTones, blendTable, levelTable, toneRecord, type ToneJob } from './pixels/tone/tone.js';
export {
  codedFrameBytes,
  colourFactors,
  unpackedStride,
  unpackFrames,
  unpackRecord,
  type CodedFrame,
  type Colour,
} from './pixels/unpack/unpack.js';
export { sumAll } from './reduce/sum-all.js';
export { sumLeading } from './reduce/sum-leading.js';
export { rowAdd, uploadIndices } from './row-add/row-add.js';
export { rowScale } from './row-scale/row-scale.js';
export { isSoftwareAdapter, type AdapterSummary, type MatrixUnitConfig } from './runtime/adapter.js';
export { Arena } from './runtime/buffer-pool.js';
export {
  DeviceLostError,
  formatBytes,
  KernelValidationError,
  NoAdapterError,
  OutOfMemoryError,
  RecordingError,
  ReleaseError,
  ShapeError,
  TubeletError,
} from './runtime/errors.js';
export { GpuArray, product, type DType, type Storage } from './runtime/gpu-array.js';
export { Ledger, sumOfCosts, type Cost, type LedgerEntry } from './runtime/ledger.js';
export { openRuntime, type OpenRuntimeOptions } from './runtime/open.js';
export {
  likeRuntime,
  paperAdapter,
  paperDevice,
  PaperReadError,
  paperRuntime,
  type PaperOptions,
} from './runtime/paper-device.js';
export {
  formatProfile,
  type KernelObserver,
  type KernelSpan,
  type ProfileEntry,
} from './runtime/profiler.js';
export type { Access, KernelCall, SourcedCall } from './runtime/program.js';
export { Readback } from './runtime/readback.js';
export { Recording } from './runtime/recording.js';
export { Runtime, type Precision, type RuntimeCounters, type VariantTuning } from './runtime/runtime.js';
export { shown } from './runtime/shown.js';
export type { HostData } from './runtime/transfers.js';
export type { Variant } from './runtime/variants.js';
export { f32, type KernelData, type WgslConstants } from './runtime/wgsl.js';
export { broadcastShape, broadcastTo } from './strided/axes.js';
export type { StridedExpression, StridedInput } from './strided/inputs.js';
export { copyOf, stridedMap, type StridedMapCall } from './strided/map.js';
export { stridedReduce, type Combination, type StridedReduceCall } from './strided/reduce.js';

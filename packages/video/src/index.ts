/**
 * Video for training: decoding, sampling of clips, crops, and a loader that stays ahead of the GPU.
 *
 * ```ts
 * const { entries, skipped } = await listVideos('videos/');           // folder, glob, list file or video
 * const loader = await ClipLoader.open({ entries, batchSize: 8, seed: 0, crop: 'voxceleb' });
 * const pixels = new ClipPixels(runtime, 160);
 * for await (const batch of loader.epoch(0, { startStep: 0 })) {
 *   pixels.frames(batch.clips, batch.boxes); // on the GPU: u8 [8, 16, 160, 160, 3]
 * }
 * loader.badFiles; // what could not be decoded, and why
 * await loader.close();
 * ```
 *
 * - A video is any file that ffmpeg reads, or a folder of jpg or png frames. What @napi-rs/webcodecs can read (mp4,
 *   mov, webm, mkv) it decodes in processes that live on; the rest is ffmpeg's, which is `FFMPEG_PATH`, the package
 *   ffmpeg-static, `ffmpeg` on `PATH`, or the WebAssembly build of @ffmpeg/core (`resolveFfmpeg`). All of them give
 *   the same bytes; `TUBELET_DECODER=ffmpeg`, or the option `decoder`, leaves everything to ffmpeg.
 * - A large set is better made into shards (`ShardMaker`): tar files of clips of the training's size with an index, which
 *   `listVideos` takes and loaders read from beginning to end.
 * - Decoding happens in worker threads and their processes (`DecoderPool`); small data sets are decoded once and kept in
 *   memory (`cacheBytes`). Frames stay as they were coded; the GPU makes RGB of them, turns, crops and resizes them
 *   (`ClipPixels`).
 * - A long video can be many samples: `segmentSeconds` cuts it, `clipsPerVideo` repeats it, and the `timeRange` of an
 *   entry keeps a stretch out.
 * - The same seed gives the same batches: order, first frames and crops come from counter-based random numbers keyed
 *   by (seed, purpose, epoch, sample). `epoch(e, { startStep })` goes on where a run stopped.
 * - Fine-tuning: `LabelledClipLoader` gives batches with soft targets and what `TrainingPixels` is to augment and mix them
 *   by, `TestClipLoader` the clips that videos are tested with.
 * - One clip, without a loader: `readClip('face.mp4', { startSeconds: 3 })`.
 */
export {
  CROP_MODES,
  multiScaleCropOffsets,
  multiScaleCropSizes,
  type CropMode,
  type RandomIntegers,
} from './crop';
export {
  checkDataset,
  unopenedCheck,
  type DatasetCheck,
  type FrameCounts,
} from './datasets/check/check-dataset';
export { PARTS, type PartCounts } from './datasets/check/check-splits';
export { forEachConcurrently } from './datasets/check/concurrent';
export { groupFindings, type Finding, type FindingGroup, type Severity } from './datasets/check/finding';
export type { FaceCrops, Quartiles } from './datasets/check/face-crops';
export type { FrameSizeCount } from './datasets/check/frame-sizes';
export {
  DatasetError,
  type Dataset,
  type DatasetProblem,
  type DatasetSplit,
  type LabelledVideo,
} from './datasets/dataset';
export { holdOut } from './datasets/hold-out';
export { labelCounts } from './datasets/label-counts';
export { openDataset } from './datasets/open';
export {
  DATASET_NAMES,
  DATASETS,
  PUBLISHED_NAMES,
  type DatasetName,
  type DatasetProtocol,
  type PublishedName,
  type PublishedProtocol,
  type PublishedSizes,
  type SplitSize,
} from './datasets/protocols';
export type { FrameShape } from './decode';
export { encodeVideo } from './encode';
export {
  FaceDetectorError,
  FfmpegNotFoundError,
  NoReadableVideoError,
  ShardFolderError,
  VideoDecodeError,
  VideoEncodeError,
  VideoSourceError,
  type BadFile,
} from './errors';
export { contactSheet, type SheetRow } from './faces/contact-sheet';
export { drawFaces, type DrawnFace } from './faces/draw-faces';
export { FACE_SIZE, type Face, type FaceDetector, type FaceSquare, type Point } from './faces/face';
export { findMainPerson, findPeople, imageToJpg, wholeFrames, type CutFrame } from './faces/find-people';
export { openFaceDetector } from './faces/open-detector';
export type { FaceTrack, FrameFaces, TrackedFrame } from './faces/track';
export { writeFaces } from './faces/write-faces';
export { resolveFfmpeg, wasmFfmpeg, type Ffmpeg } from './ffmpeg';
export { readFrame } from './frame-folder';
export { framesWithin, type FrameRange } from './frame-range';
export { LabelledClipLoader, type LabelledClipBatch } from './labelled/labelled-clip-loader';
export { TestClipLoader, type TestClipBatch, type TestVideo } from './labelled/test-clip-loader';
export { ClipLoader, type ClipBatch } from './loader';
export { ClipPixels } from './pixels/clip-pixels';
export { alikeFrames, blankClips, type CodedFrames, type StoredFrame } from './pixels/coded-frames';
export { augmentedImage, croppedImage, type RgbImage } from './pixels/image-passes';
export { squareFrames } from './pixels/square-frames';
export { toRgb } from './pixels/to-rgb';
export { TrainingPixels, type TrainingClips } from './pixels/training-pixels';
export { DecoderPool, defaultWorkerCount } from './pool';
export { readClip } from './read-clip';
export { resizeBilinear, type Box } from './resize';
export { clipFrameIndices, clipStartCount, type ClipShape } from './sampling';
export { REJECTS_NAME } from './shards/shard-index';
export { ShardMaker, type ShardEstimate } from './shards/write-shards';
export { listVideos, type VideoListing } from './source';
export {
  blankAugmentations,
  drawAugmentation,
  type Augmentation,
  type ClipKey,
  type TrainTransformOptions,
} from './transforms/augmentation';
export { testClipFrameIndices, trainClipFrameIndices } from './transforms/frame-indices';
export { NO_MIX, softTargets, type MixOptions } from './transforms/mixup';
export {
  AUGMENT_OPERATIONS,
  augmentOperation,
  type AugmentOperation,
  type AugmentOperationName,
  type OperationMethod,
} from './transforms/rand-augment';
export type { RandomNumbers } from './transforms/random';
export type { TimeRange, VideoEntry } from './video-entry';
export type { VideoInfo } from './video-info';
export { checkVoxceleb2, type Voxceleb2Check, type Voxceleb2PartCheck } from './voxceleb2/check-voxceleb2';
export {
  isVoxceleb2Path,
  listVoxceleb2,
  VOXCELEB2_COUNTS,
  VOXCELEB2_LAYOUT,
  VOXCELEB2_PARTS,
  type Voxceleb2Counts,
  type Voxceleb2Listing,
} from './voxceleb2/parts';
export { WebCodecsNotFoundError } from './webcodecs/client';
export { findWebCodecs, tryWebCodecs, wantedDecoder, type DecoderName } from './webcodecs/find';
export type { DecodedFrames } from './worker-protocol';
export type { Mix, MixBox } from '@tubelet/kernels';

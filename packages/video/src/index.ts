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
} from './pixels/crop.js';
export {
  checkDataset,
  unopenedCheck,
  type DatasetCheck,
  type FrameCounts,
} from './datasets/check/check-dataset.js';
export { PARTS, type PartCounts } from './datasets/check/check-splits.js';
export { forEachConcurrently } from './datasets/check/concurrent.js';
export { groupFindings, type Finding, type FindingGroup, type Severity } from './datasets/check/finding.js';
export type { FaceCrops, Quartiles } from './datasets/check/face-crops.js';
export type { FrameSizeCount } from './datasets/check/frame-sizes.js';
export {
  DatasetError,
  type Dataset,
  type DatasetProblem,
  type DatasetSplit,
  type LabelledVideo,
} from './datasets/dataset.js';
export { holdOut } from './datasets/hold-out.js';
export { labelCounts } from './datasets/label-counts.js';
export { openDataset } from './datasets/open.js';
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
} from './datasets/protocols.js';
export type { FrameShape } from './decode/decode.js';
export { encodeVideo } from './ffmpeg/encode.js';
export {
  FaceDetectorError,
  FfmpegNotFoundError,
  NoReadableVideoError,
  ShardFolderError,
  VideoDecodeError,
  VideoEncodeError,
  VideoSourceError,
  type BadFile,
} from './errors.js';
export { contactSheet, type SheetRow } from './faces/contact-sheet.js';
export { drawFaces, type DrawnFace } from './faces/draw-faces.js';
export { FACE_SIZE, type Face, type FaceDetector, type FaceSquare, type Point } from './faces/face.js';
export { findMainPerson, findPeople, imageToJpg, wholeFrames, type CutFrame } from './faces/find-people.js';
export { openFaceDetector } from './faces/open-detector.js';
export type { FaceTrack, FrameFaces, TrackedFrame } from './faces/track.js';
export { writeFaces } from './faces/write-faces.js';
export { resolveFfmpeg, wasmFfmpeg, type Ffmpeg } from './ffmpeg/ffmpeg.js';
export { readFrame } from './decode/frame-folder.js';
export { framesWithin, type FrameRange } from './decode/frame-range.js';
export { LabelledClipLoader, type LabelledClipBatch } from './labelled/labelled-clip-loader.js';
export { TestClipLoader, type TestClipBatch, type TestVideo } from './labelled/test-clip-loader.js';
export { ClipLoader, type ClipBatch } from './loader/loader.js';
export { ClipPixels } from './pixels/clip-pixels.js';
export { alikeFrames, blankClips, type CodedFrames, type StoredFrame } from './pixels/coded-frames.js';
export { augmentedImage, croppedImage, type RgbImage } from './pixels/image-passes.js';
export { squareFrames } from './pixels/square-frames.js';
export { toRgb } from './pixels/to-rgb.js';
export { TrainingPixels, type TrainingClips } from './pixels/training-pixels.js';
export { DecoderPool, defaultWorkerCount } from './loader/pool.js';
export { readClip } from './decode/read-clip.js';
export { resizeBilinear, type Box } from './pixels/resize.js';
export { clipFrameIndices, clipStartCount, type ClipShape } from './sampling/sampling.js';
export { REJECTS_NAME } from './shards/shard-index.js';
export { ShardMaker, type ShardEstimate } from './shards/write-shards.js';
export { listVideos, type VideoListing } from './sources/source.js';
export {
  blankAugmentations,
  drawAugmentation,
  type Augmentation,
  type ClipKey,
  type TrainTransformOptions,
} from './transforms/augmentation.js';
export { testClipFrameIndices, trainClipFrameIndices } from './transforms/frame-indices.js';
export { NO_MIX, softTargets, type MixOptions } from './transforms/mixup.js';
export {
  AUGMENT_OPERATIONS,
  augmentOperation,
  type AugmentOperation,
  type AugmentOperationName,
  type OperationMethod,
} from './transforms/rand-augment.js';
export type { RandomNumbers } from './transforms/random.js';
export type { TimeRange, VideoEntry } from './sources/video-entry.js';
export type { VideoInfo } from './decode/video-info.js';
export { checkVoxceleb2, type Voxceleb2Check, type Voxceleb2PartCheck } from './voxceleb2/check-voxceleb2.js';
export {
  isVoxceleb2Path,
  listVoxceleb2,
  VOXCELEB2_COUNTS,
  VOXCELEB2_LAYOUT,
  VOXCELEB2_PARTS,
  type Voxceleb2Counts,
  type Voxceleb2Listing,
} from './voxceleb2/parts.js';
export { WebCodecsNotFoundError } from './webcodecs/client.js';
export { findWebCodecs, tryWebCodecs, wantedDecoder, type DecoderName } from './webcodecs/find.js';
export type { DecodedFrames } from './loader/worker-protocol.js';
export type { Mix, MixBox } from '@tubelet/kernels';

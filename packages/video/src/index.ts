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
export * from './errors';
export { resolveFfmpeg, wasmFfmpeg, type Ffmpeg, type NativeFfmpeg, type WasmFfmpeg } from './ffmpeg';
export { FRAME_FOLDER_RATE, type VideoInfo } from './video-info';
export type { FrameShape } from './decode';
export { WebCodecsNotFoundError } from './webcodecs/client';
export {
  findWebCodecs,
  tryWebCodecs,
  wantedDecoder,
  type DecoderName,
  type WebCodecsDecoder,
} from './webcodecs/find';
export { resizeBilinear, type Box, type ResizeOptions } from './resize';
export { ClipPixels } from './pixels/clip-pixels';
export { augmentedImage, croppedImage, type RgbImage } from './pixels/image-passes';
export { TrainingPixels, type TrainingClips } from './pixels/training-pixels';
export { alikeFrames, blankClips, type CodedFrames, type StoredFrame } from './pixels/coded-frames';
export { squareFrames } from './pixels/square-frames';
export { toRgb } from './pixels/to-rgb';
export * from './sampling';
export * from './crop';
export * from './transforms/index';
export * from './datasets/index';
export * from './voxceleb2/index';
export { listFrames, readFrame } from './frame-folder';
export { framesWithin, cutSegments, type FrameRange } from './frame-range';
export type { TimeRange, VideoEntry } from './video-entry';
export { listVideos, type VideoListing } from './source';
export { DecoderPool, defaultWorkerCount, type DecoderPoolOptions } from './pool';
export type { DecodedFrames } from './worker-protocol';
export { ClipLoader, type ClipBatch } from './loader';
export type { ShardProgress } from './shards/shard-writer';
export { ShardMaker, type ShardEstimate, type ShardOptions } from './shards/write-shards';
export type { ClipLoaderOptions } from './loader-options';
export { LabelledClipLoader, type LabelledClipBatch } from './labelled/labelled-clip-loader';
export type { LabelledClipLoaderOptions } from './labelled/labelled-loader-options';
export {
  TestClipLoader,
  type TestClipBatch,
  type TestClipLoaderOptions,
  type TestVideo,
} from './labelled/test-clip-loader';
export { encodeVideo, type EncodeVideoOptions } from './encode';
export { readClip, type ReadClipOptions, type ReadClipResult } from './read-clip';
export { ALIGNED, squareOf, type Face, type FaceDetector, type FaceSquare, type Point } from './faces/face';
export { trackFaces, type FaceTrack, type FrameFaces, type TrackedFrame } from './faces/track';
export { cutFaces, findPeople, imageToJpg, wholeFrames, type CutFrame } from './faces/find-people';
export { isDetectorInstalled } from './faces/install-detector';
export { openFaceDetector } from './faces/open-detector';
export { contactSheet, type SheetRow } from './faces/contact-sheet';
export { writeFaces } from './faces/write-faces';
export { forEachConcurrently } from './datasets/check/concurrent';
export { drawFaces, type DrawnFace } from './faces/draw-faces';

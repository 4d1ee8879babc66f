/**
 * The part of this package that needs nothing of Node: frames as decoders leave them, also those of a browser, and the
 * square RGB frames that models take, made of them on the GPU.
 */
export { cropBox, type CropMode } from '../crop';
export type { Box } from '../resize';
export { ClipPixels } from './clip-pixels';
export { joinFrames, keepFrame, keptFrame, type CodedFrames, type StoredFrame } from './coded-frames';
export { squareFrames } from './square-frames';

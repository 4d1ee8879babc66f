/**
 * The part of this package that needs nothing of Node: frames as decoders leave them, also those of a browser, and the
 * square RGB frames that models take, made of them on the GPU.
 */
export { cropBox, type CropMode } from './crop.js';
export type { Box } from './resize.js';
export { ClipPixels } from './clip-pixels.js';
export { joinFrames, keepFrame, keptFrame, type CodedFrames, type StoredFrame } from './coded-frames.js';
export { squareFrames } from './square-frames.js';

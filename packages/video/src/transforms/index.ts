export { IMAGENET_DEVIATION, IMAGENET_MEAN, normaliseClip, type ClipPlanes } from './clip-planes';
export * from './clip-transform';
export * from './frame-indices';
export * from './mixup';
export * from './rand-augment';
export * from './random-erasing';
export * from './random-resized-crop';
export type { RandomNumbers } from './random';
export type { RgbImage } from './rgb-image';

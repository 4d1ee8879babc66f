export * from './augmentation';
export * from './frame-indices';
export * from './mixup';
export * from './rand-augment';
export * from './random-erasing';
export * from './random-resized-crop';
export type { RandomNumbers } from './random';

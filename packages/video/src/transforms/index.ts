export * from './frame-indices';
export * from './rand-augment';
export type { RandomNumbers } from './random';
export type { RgbImage } from './rgb-image';

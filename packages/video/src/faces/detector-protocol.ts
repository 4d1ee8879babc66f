/** What the threads of the face detector are asked and answer. */
import type { RgbImage } from '../pixels/image-passes.js';
import type { Face } from './face.js';

export interface DetectorSetup {
  /** Where the detector is installed. */
  readonly folder: string;
  readonly weights: string;
}

export interface DetectorRequest {
  readonly id: number;
  readonly image: RgbImage;
}

export type DetectorResponse =
  | { readonly kind: 'ready' }
  | { readonly kind: 'faces'; readonly id: number; readonly faces: Face[] }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

/** What the drawing threads are asked and answer. */
import type { Ffmpeg } from '@tubelet/video';
import type { ClipKey } from './clip.js';

export interface WorkerSetup {
  readonly ffmpeg: Ffmpeg;
  readonly size: number;
  readonly frames: number;
  readonly framesPerSecond: number;
}

export interface ClipRequest {
  readonly key: ClipKey;
  /** The file to write. */
  readonly path: string;
}

export type ClipResponse =
  | { readonly ok: true }
  /** `expected` for what the user can do something about. */
  | { readonly ok: false; readonly expected: boolean; readonly message: string; readonly stack?: string };

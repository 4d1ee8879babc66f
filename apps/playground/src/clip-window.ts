import type { Runtime } from '@tubelet/kernels';
import { joinFrames, squareFrames } from '@tubelet/video/pixels';
import { middleSquare, planesOf, shownFrame, type DecodedFrame } from './decoded-frame.js';

/** Frames a second of the videos that models learn from: distances between frames are counted in theirs. */
const FRAME_RATE = 25;
/** A slow machine shows some of a video's frames only; a longer gap is a jump. */
const LONGEST_GAP_SECONDS = 1;

/** The last frames of a playing video, as a model takes them: the middle square, at the distance of its training. */
export class ClipWindow {
  private readonly frames: DecodedFrame[] = [];
  private lastSeconds = -Infinity;
  private latest: Promise<Uint8Array> | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly count: number,
    private readonly size: number,
    private readonly frameStep: number,
  ) {}

  /** Takes the frame that the video shows, if enough time has passed since the last one; says whether it did. */
  async offer(video: HTMLVideoElement, seconds: number): Promise<boolean> {
    const step = this.frameStep / FRAME_RATE;
    const gap = seconds - this.lastSeconds;
    // A video that starts again, or that somebody moves.
    if (gap < 0 || gap > Math.max(4 * step, LONGEST_GAP_SECONDS)) this.frames.length = 0;
    // Half a frame early is nearer than half a frame late.
    else if (gap < step - 0.5 / FRAME_RATE) return false;
    this.lastSeconds = seconds;
    const square = middleSquare(await decoded(video), this.size);
    // Another video may have come while this one's planes were copied.
    if (this.lastSeconds !== seconds) return false;
    this.frames.push(square);
    if (this.frames.length > this.count) this.frames.shift();
    this.latest = undefined;
    return true;
  }

  /** Forgets all frames, which are of another video than those to come. */
  clear(): void {
    this.frames.length = 0;
    this.lastSeconds = -Infinity;
    this.latest = undefined;
  }

  /** Whether there are enough frames for a clip. */
  get isFull(): boolean {
    return this.frames.length === this.count;
  }

  /**
   * The clip [T, H, W, 3], the same array until there is another; undefined until there are enough frames. The GPU makes
   * it, as it does in training.
   */
  async clip(): Promise<Uint8Array | undefined> {
    if (!this.isFull) return undefined;
    this.latest ??= squareFrames(this.runtime, joinFrames(this.frames), this.size);
    return this.latest;
  }
}

async function decoded(video: HTMLVideoElement): Promise<DecodedFrame> {
  if (typeof VideoFrame === 'undefined') return shownFrame(video);
  const frame = new VideoFrame(video);
  try {
    return (await planesOf(frame)) ?? shownFrame(video);
  } finally {
    frame.close();
  }
}

/** Frames a second of the videos that models learn from: distances between frames are counted in theirs. */
const FRAME_RATE = 25;
/** A slow machine shows some of a video's frames only; a longer gap is a jump. */
const LONGEST_GAP_SECONDS = 1;

/** The last frames of a playing video, as a model takes them: the middle square, at the distance of its training. */
export class ClipWindow {
  private readonly context: CanvasRenderingContext2D;
  private readonly frames: Uint8Array[] = [];
  private lastSeconds = -Infinity;
  private latest: Uint8Array | undefined;

  constructor(
    private readonly count: number,
    private readonly size: number,
    private readonly frameStep: number,
  ) {
    const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size });
    this.context = canvas.getContext('2d', { willReadFrequently: true })!;
    this.context.imageSmoothingQuality = 'high';
  }

  /** Takes the frame that the video shows, if enough time has passed since the last one; says whether it did. */
  offer(video: HTMLVideoElement, seconds: number): boolean {
    const step = this.frameStep / FRAME_RATE;
    const gap = seconds - this.lastSeconds;
    // A video that starts again, or that somebody moves.
    if (gap < 0 || gap > Math.max(4 * step, LONGEST_GAP_SECONDS)) this.frames.length = 0;
    // Half a frame early is nearer than half a frame late.
    else if (gap < step - 0.5 / FRAME_RATE) return false;
    this.lastSeconds = seconds;
    this.frames.push(this.squareOf(video));
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

  /** The clip [T, H, W, 3], the same array until there is another; undefined until there are enough frames. */
  clip(): Uint8Array | undefined {
    if (this.frames.length < this.count) return undefined;
    if (this.latest) return this.latest;
    this.latest = new Uint8Array(this.count * this.size ** 2 * 3);
    for (const [i, frame] of this.frames.entries()) this.latest.set(frame, i * frame.length);
    return this.latest;
  }

  private squareOf(video: HTMLVideoElement): Uint8Array {
    const { videoWidth, videoHeight } = video;
    const { size } = this;
    const edge = Math.min(videoWidth, videoHeight);
    const [left, top] = [(videoWidth - edge) / 2, (videoHeight - edge) / 2];
    this.context.drawImage(video, left, top, edge, edge, 0, 0, size, size);
    const { data } = this.context.getImageData(0, 0, size, size);
    const frame = new Uint8Array(size * size * 3);
    for (let pixel = 0; pixel < size * size; pixel++) {
      for (let channel = 0; channel < 3; channel++) frame[3 * pixel + channel] = data[4 * pixel + channel]!;
    }
    return frame;
  }
}

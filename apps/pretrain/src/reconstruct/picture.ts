/** From rows of frames to one picture. Everything here is on the host. */

const WHITE = 255;

/** Frames of one row, with the words for it. */
export interface PictureRow {
  readonly label: string;
  /** A word or two for a caption beside it; default: the label. */
  readonly caption?: string;
  /** [T, size, size, 3] */
  readonly frames: ArrayLike<number>;
}

/** An RGB picture, row-major. */
export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Rows of frames as a picture, and where each row begins. */
export interface RowPicture extends Picture {
  readonly tops: readonly number[];
}

/**
 * Lays out rows of frames: one column a frame, white lines of `gap` pixels between frames and rows, four times as
 * wide between groups of rows.
 *
 * @param frameSize edge of the frames in pixels
 * @param frameCount frames of every row
 */
export function assemblePicture(
  groups: readonly (readonly PictureRow[])[],
  { frameSize, frameCount, gap = 2 }: { frameSize: number; frameCount: number; gap?: number },
): RowPicture {
  const tops: number[] = [];
  let bottom = 0;
  groups.forEach((rows, group) => {
    rows.forEach((_, row) => {
      if (row > 0) bottom += gap;
      else if (group > 0) bottom += 4 * gap;
      tops.push(bottom);
      bottom += frameSize;
    });
  });
  const width = frameCount * frameSize + (frameCount - 1) * gap;
  const data = new Uint8Array(width * bottom * 3).fill(WHITE);
  groups.flat().forEach(({ label, frames }, row) => {
    requireLength(label, frames, frameCount * frameSize ** 2 * 3);
    for (let frame = 0; frame < frameCount; frame++) {
      for (let y = 0; y < frameSize; y++) {
        const source = (frame * frameSize + y) * frameSize * 3;
        const target = ((tops[row]! + y) * width + frame * (frameSize + gap)) * 3;
        for (let i = 0; i < frameSize * 3; i++) data[target + i] = frames[source + i]!;
      }
    }
  });
  return { data, width, height: bottom, tops };
}

function requireLength(name: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length)
    throw new RangeError(`${name} has ${values.length} values instead of ${length}`);
}

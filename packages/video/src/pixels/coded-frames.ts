/** Frames between the decoder and the GPU: as they were coded, cut to what is used of them. */
import { codedFrameBytes, type CodedFrame } from '@tubelet/kernels';
import type { Box } from './resize.js';
import { halveColumns, halveRows, type Plane } from './halve.js';

/** Degrees by which a coded frame is turned clockwise to be shown. */
export type Rotation = 0 | 90 | 180 | 270;

/** A frame, and where it is among the bytes that it lies in. Its width and height are those before it is turned. */
export interface StoredFrame extends CodedFrame {
  readonly offset: number;
  readonly rotation: Rotation;
}

/** Frames of a video or of one clip. Several of them may be the same bytes. */
export interface CodedFrames {
  readonly bytes: Uint8Array;
  readonly frames: readonly StoredFrame[];
}

/**
 * How many frames each clip of a batch has.
 *
 * @throws RangeError where they are not equally many, or there are none
 */
export function requireAlike(clips: readonly CodedFrames[]): number {
  const length = clips[0]?.frames.length ?? 0;
  const other = clips.find(({ frames }) => frames.length !== length);
  if (length === 0 || other) {
    throw new RangeError(
      `clips of ${length} and ${other?.frames.length ?? 0} frames are not a batch: give clips of equal length.`,
    );
  }
  return length;
}

const isLying = (rotation: Rotation) => rotation === 90 || rotation === 270;

/** Width and height of a frame as it is shown. */
export function shownSize({ width, height, rotation }: Pick<StoredFrame, 'width' | 'height' | 'rotation'>): {
  width: number;
  height: number;
} {
  return isLying(rotation) ? { width: height, height: width } : { width, height };
}

/** The part of a coded frame of width × height that is shown as `box`. */
export function codedBox(box: Box, width: number, height: number, rotation: Rotation): Box {
  const { x, y, width: across, height: down } = box;
  switch (rotation) {
    case 0:
      return box;
    case 90:
      return { x: y, y: height - x - across, width: down, height: across };
    case 180:
      return { x: width - x - across, y: height - y - down, width: across, height: down };
    case 270:
      return { x: width - y - down, y: x, width: down, height: across };
  }
}

/**
 * How often an axis is halved before frames go to the GPU: as long as it stays twice as long as is needed there or
 * longer, and halves of its pixels and chroma samples are whole, so that a turned frame is halved alike.
 */
function halvings(length: number, size: number): number {
  let count = 0;
  for (let left = length; left >= 2 * size && left % 4 === 0; left /= 2) count++;
  return count;
}

/** What is kept of a frame: `box` of it, halved as often as leaves at least `size` pixels each way. */
export function keptFrame({ colour }: Pick<CodedFrame, 'colour'>, box: Box, size: number): CodedFrame {
  const length = (full: number) => full / 2 ** halvings(full, size);
  return { width: length(box.width), height: length(box.height), colour };
}

/**
 * Cuts a box out of a coded frame and halves it, as `keptFrame` tells.
 *
 * @param data the frame: planes where it has a colour, else RGB.
 * @param box in the frame as it is coded; of planes, at even places.
 * @param target where what is kept goes, filled.
 */
export function keepFrame(
  { width, height, colour }: CodedFrame,
  data: Uint8Array,
  box: Box,
  size: number,
  target: Uint8Array,
): void {
  const half = (length: number) => Math.ceil(length / 2);
  const planes: { plane: Plane; part: Box }[] =
    colour === undefined
      ? [{ plane: { data, width, height, channels: 3 }, part: box }]
      : [0, 1, 2].map((i) => {
          const chroma = { width: half(width), height: half(height) };
          const begin = i === 0 ? 0 : width * height + (i - 1) * chroma.width * chroma.height;
          const { x, y } = box;
          return {
            plane: { data: data.subarray(begin), ...(i === 0 ? { width, height } : chroma), channels: 1 },
            part: i === 0 ? box : { x: x / 2, y: y / 2, width: half(box.width), height: half(box.height) },
          };
        });
  let offset = 0;
  for (const { plane, part } of planes) {
    let kept = cut(plane, part);
    for (let n = halvings(box.width, size); n > 0; n--) kept = halveColumns(kept);
    for (let n = halvings(box.height, size); n > 0; n--) kept = halveRows(kept);
    target.set(kept.data, offset);
    offset += kept.data.length;
  }
}

/** The box of a plane alone. */
function cut({ data, width, channels }: Plane, box: Box): Plane {
  const rowBytes = box.width * channels;
  const size = { width: box.width, height: box.height, channels };
  if (box.x === 0 && box.width === width) {
    const begin = box.y * rowBytes;
    return { ...size, data: data.subarray(begin, begin + box.height * rowBytes) };
  }
  const rows = new Uint8Array(box.height * rowBytes);
  for (let y = 0; y < box.height; y++) {
    const begin = ((box.y + y) * width + box.x) * channels;
    rows.set(data.subarray(begin, begin + rowBytes), y * rowBytes);
  }
  return { ...size, data: rows };
}

/** Bytes that `count` frames take, all alike: whole words, as the GPU takes them. */
export function storedBytes(frame: CodedFrame, count: number): number {
  return 4 * Math.ceil((count * codedFrameBytes(frame)) / 4);
}

/** Frames that lie one behind the other, all alike. */
export function alikeFrames(frame: CodedFrame, rotation: Rotation, count: number): StoredFrame[] {
  const frameBytes = codedFrameBytes(frame);
  return Array.from({ length: count }, (_, i) => ({ ...frame, rotation, offset: i * frameBytes }));
}

/** Upright frames that were handed over one by one, the bytes of each in `data`, as one clip. */
export function joinFrames(
  frames: readonly { readonly frame: CodedFrame; readonly data: Uint8Array }[],
): CodedFrames {
  const total = frames.reduce((sum, { data }) => sum + data.length, 0);
  const bytes = new Uint8Array(4 * Math.ceil(total / 4));
  let end = 0;
  const stored = frames.map(({ frame, data }): StoredFrame => {
    bytes.set(data, end);
    end += data.length;
    return { ...frame, rotation: 0, offset: end - data.length };
  });
  return { bytes, frames: stored };
}

/** The chosen ones of some frames, with no more bytes than they need. */
export function takeFrames({ bytes, frames }: CodedFrames, places: readonly number[]): CodedFrames {
  const distinct = [...new Set(places)];
  const lengths = distinct.map((place) => codedFrameBytes(frames[place]!));
  const kept = new Uint8Array(4 * Math.ceil(lengths.reduce((sum, length) => sum + length, 0) / 4));
  const moved = new Map<number, StoredFrame>();
  let offset = 0;
  for (const [i, place] of distinct.entries()) {
    const frame = frames[place]!;
    kept.set(bytes.subarray(frame.offset, frame.offset + lengths[i]!), offset);
    moved.set(place, { ...frame, offset });
    offset += lengths[i]!;
  }
  return { bytes: kept, frames: places.map((place) => moved.get(place)!) };
}

/**
 * Clips of zeros that are to go the longest way to square frames: half of the frames are planes and half are RGB, and
 * none has the wanted size yet. For steps that are not about what is in them.
 */
export function blankClips(count: number, length: number, size: number): CodedFrames[] {
  const edge = size + 4;
  const frames = Array.from({ length }, (_, i): StoredFrame => ({
    ...{ width: edge, height: edge, rotation: 0, offset: 0 },
    colour: i % 2 === 0 ? { matrix: 'bt601', fullRange: false } : undefined,
  }));
  const bytes = new Uint8Array(3 * edge * edge);
  return Array.from({ length: count }, () => ({ bytes, frames }));
}

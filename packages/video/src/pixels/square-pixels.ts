/** Decoded clips as square pixels on the GPU. */
import {
  filterWords,
  resampleFrames,
  resampleRecord,
  unpackedStride,
  unpackFrames,
  unpackRecord,
  type GpuArray,
  type PixelLayout,
  type Runtime,
} from '@tubelet/kernels';
import { shownSize, type CodedFrames, type StoredFrame } from './coded-frames.js';
import { SharedTables } from './tables.js';

/** Kernels may read a little beyond the last frame. */
const SLACK = 64;

/** A frame of a batch, and where its bytes are in those of the batch. */
interface PlacedFrame {
  readonly frame: StoredFrame;
  readonly firstByte: number;
}

/** An image in memory. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly layout: PixelLayout;
}

const unpackedWords = ({ width, height }: StoredFrame) => height * unpackedStride(width);
/** An image whose rows follow each other, `stride` pixels apart. */
export const upright = (first: number, stride: number): PixelLayout => ({ first, column: 1, row: stride });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
export const greatest = (values: readonly number[]) =>
  values.reduce((most, value) => Math.max(most, value), 0);

/** Records of jobs, all of one kernel, on the GPU: u32 [jobs, words of a record]. */
export function uploadJobs(runtime: Runtime, records: readonly (readonly number[])[]): GpuArray {
  const words = Uint32Array.from(records.flat());
  return runtime.upload(words, [records.length, records[0]!.length], 'u32', 'pixel jobs');
}

/** What an unpacked frame that begins at `first` shows: it is turned by reading it in another order. */
function shownImage(frame: StoredFrame, first: number): Image {
  const { width, height, rotation } = frame;
  const stride = unpackedStride(width);
  const last = first + (height - 1) * stride;
  const layouts: Record<StoredFrame['rotation'], PixelLayout> = {
    0: upright(first, stride),
    90: { first: last, column: -stride, row: 1 },
    180: { first: last + width - 1, column: -1, row: -stride },
    270: { first: first + width - 1, column: stride, row: -1 },
  };
  return { ...shownSize(frame), layout: layouts[rotation] };
}

/**
 * Uploads decoded clips and brings every frame to a square: YUV to RGB, turning, resizing as Pillow does it (bilinear,
 * in fixed point). Everything is whole numbers: the same bytes on every device.
 */
export class SquarePixels {
  private readonly tables: SharedTables;

  /** @param size edge of the square frames in pixels, a multiple of 4 */
  constructor(
    private readonly runtime: Runtime,
    readonly size: number,
  ) {
    if (!Number.isInteger(size) || size < 4 || size % 4 !== 0) {
      throw new RangeError(`size is ${size}: give a multiple of 4 pixels.`);
    }
    this.tables = new SharedTables(runtime);
  }

  /** Square frames of clips, one behind the other: fills the beginning of `pixels`, u32. */
  fill(pixels: GpuArray, clips: readonly CodedFrames[]): void {
    const { runtime, size } = this;
    const { bytes, frames } = this.upload(clips);
    const isSquare = frames.every(
      ({ frame: { width, height, rotation } }) => width === size && height === size && rotation === 0,
    );
    if (isSquare) {
      this.unpack(
        bytes,
        frames,
        frames.map((_, i) => i * size * size),
        pixels,
      );
      return;
    }
    const places: number[] = [];
    let total = 0;
    for (const { frame } of frames) {
      places.push(total);
      total += unpackedWords(frame);
    }
    const unpacked = runtime.empty([total + SLACK], 'u32', 'unpacked frames');
    this.unpack(bytes, frames, places, unpacked);
    const images = frames.map(({ frame }, i) => shownImage(frame, places[i]!));
    this.resize(unpacked, images, pixels);
  }

  /** The most words that an array takes which a clip is worked on in. */
  words({ frames }: CodedFrames): number {
    const { size } = this;
    return sum(
      frames.map((frame) => Math.max(unpackedWords(frame), size * Math.max(frame.width, frame.height, size))),
    );
  }

  /** One buffer of all bytes. Clips that share their bytes are uploaded once. */
  private upload(clips: readonly CodedFrames[]): { bytes: GpuArray; frames: PlacedFrame[] } {
    const { runtime } = this;
    const places = new Map<Uint8Array, number>();
    let total = 0;
    for (const { bytes } of clips) {
      if (places.has(bytes)) continue;
      places.set(bytes, total);
      total += bytes.length;
    }
    const bytes = runtime.empty([total + SLACK], 'u8', 'decoded frames');
    for (const [data, place] of places) runtime.write(bytes.slice(0, place, place + data.length), data);
    const frames = clips.flatMap((clip) =>
      clip.frames.map((frame) => ({ frame, firstByte: places.get(clip.bytes)! + frame.offset })),
    );
    return { bytes, frames };
  }

  /** Unpacks frames, each to its place in `pixels`. */
  private unpack(
    bytes: GpuArray,
    frames: readonly PlacedFrame[],
    places: readonly number[],
    pixels: GpuArray,
  ): void {
    for (const planar of [true, false]) {
      const chosen = frames.flatMap(({ frame, firstByte }, i) =>
        (frame.colour !== undefined) === planar
          ? [{ frame, record: unpackRecord(frame, firstByte, places[i]!) }]
          : [],
      );
      if (chosen.length === 0) continue;
      const jobs = uploadJobs(
        this.runtime,
        chosen.map(({ record }) => record),
      );
      const width = greatest(chosen.map(({ frame }) => frame.width));
      const height = greatest(chosen.map(({ frame }) => frame.height));
      unpackFrames(this.runtime, { bytes, planar, jobs, pixels, width, height });
    }
  }

  /** Resizes images of `source` to size × size, one behind the other in `pixels`: rows first. */
  resize(source: GpuArray, images: readonly Image[], pixels: GpuArray): void {
    const { runtime, size, tables } = this;
    const filter = (length: number) =>
      tables.place(`${length} to ${size}`, () => filterWords({ length, outputs: size }));
    const middle = runtime.empty(
      [size * sum(images.map(({ height }) => height)) + SLACK],
      'u32',
      'resized rows',
    );
    let place = 0;
    const steps = images.map(({ width, height, layout }, i) => {
      const between = upright(place, size);
      place += size * height;
      return {
        rows: resampleRecord({
          ...{ axis: 'rows', source: layout, out: between, width: size, height, filter: filter(width) },
        }),
        columns: resampleRecord({
          ...{ axis: 'columns', source: between, out: upright(i * size * size, size) },
          ...{ width: size, height: size, filter: filter(height) },
        }),
      };
    });
    const table = tables.upload();
    const highest = greatest(images.map(({ height }) => height));
    const rows = uploadJobs(
      this.runtime,
      steps.map((step) => step.rows),
    );
    resampleFrames(runtime, {
      source,
      jobs: rows,
      table,
      pixels: middle,
      axis: 'rows',
      width: size,
      height: highest,
    });
    const columns = uploadJobs(
      this.runtime,
      steps.map((step) => step.columns),
    );
    resampleFrames(runtime, {
      source: middle,
      jobs: columns,
      table,
      pixels,
      axis: 'columns',
      width: size,
      height: size,
    });
  }

  /** To be called between batches: forgets tables where there have come to be many. */
  tidy(): void {
    this.tables.tidy();
  }

  release(): void {
    this.tables.release();
  }
}

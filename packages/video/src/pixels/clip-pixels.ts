/** Decoded clips to the tensors that models take, on the GPU. */
import {
  filterWords,
  packFrames,
  resampleFrames,
  resampleRecord,
  unpackedStride,
  unpackFrames,
  unpackRecord,
  type GpuArray,
  type PixelLayout,
  type Runtime,
} from '@tubelet/kernels';
import type { Box } from '../resize';
import { shownSize, type CodedFrames, type StoredFrame } from './coded-frames';
import { SharedTables } from './tables';

/** Words of an array that clips are worked on in, at the most: larger batches are worked on in parts. */
const SCRATCH_WORDS = 2 ** 24;
/** Kernels may read a little beyond the last frame. */
const SLACK = 64;

/** A frame of a batch, and where its bytes are in those of the batch. */
interface PlacedFrame {
  readonly frame: StoredFrame;
  readonly firstByte: number;
}

/** An image in memory. */
interface Image {
  readonly width: number;
  readonly height: number;
  readonly layout: PixelLayout;
}

const unpackedWords = ({ width, height }: StoredFrame) => height * unpackedStride(width);
const upright = (first: number, stride: number): PixelLayout => ({ first, column: 1, row: stride });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const greatest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), 0);

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
 * Makes square frames of decoded clips: YUV to RGB, turning, resizing as Pillow does it (bilinear, in fixed point), a
 * crop resized to the whole in the same way. Everything is whole numbers: the same bytes on every device.
 *
 * What a call gives is overwritten by the next call for as many clips.
 */
export class ClipPixels {
  private readonly tables: SharedTables;
  private readonly outputs = new Map<string, GpuArray>();

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

  /**
   * Frames of clips that are equally long. Throws a RangeError for others.
   *
   * @param boxes of each clip, the part of its square frames that is to fill them; undefined for the whole.
   * @returns u8 [B, T, size, size, 3].
   */
  frames(clips: readonly CodedFrames[], boxes: readonly (Box | undefined)[] = []): GpuArray {
    const { runtime } = this;
    const length = clips[0]?.frames.length ?? 0;
    const other = clips.find(({ frames }) => frames.length !== length);
    if (length === 0 || other) {
      throw new RangeError(
        `clips of ${length} and ${other?.frames.length ?? 0} frames are no batch: give clips of equal length.`,
      );
    }
    const out = this.output(clips.length, length);
    const perPart = Math.max(Math.floor(SCRATCH_WORDS / greatest(clips.map((clip) => this.words(clip)))), 1);
    for (let begin = 0; begin < clips.length; begin += perPart) {
      const end = Math.min(begin + perPart, clips.length);
      const ownBoxes = boxes.slice(begin, end);
      runtime.scope(() => {
        let pixels = this.squares(clips.slice(begin, end));
        if (ownBoxes.some((box) => box !== undefined)) pixels = this.cropped(pixels, ownBoxes, length);
        packFrames(runtime, { pixels, frames: out.slice(0, begin, end) });
      });
    }
    this.tables.tidy();
    return out;
  }

  /** Gives the memory back; what the calls gave must not be used any more. */
  release(): void {
    for (const array of this.outputs.values()) this.runtime.release(array);
    this.outputs.clear();
    this.tables.release();
  }

  private output(clips: number, length: number): GpuArray {
    const { runtime, size } = this;
    const key = `${clips} of ${length}`;
    let array = this.outputs.get(key);
    if (!array) {
      array = runtime.keep(runtime.empty([clips, length, size, size, 3], 'u8', 'frames'));
      this.outputs.set(key, array);
    }
    return array;
  }

  /** Uploads decoded clips and brings every frame to size × size: u32 [frames · size²]. */
  private squares(clips: readonly CodedFrames[]): GpuArray {
    const { runtime, size } = this;
    const { bytes, frames } = this.upload(clips);
    const pixels = runtime.empty([frames.length * size * size], 'u32', 'pixels');
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
      return pixels;
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
    return pixels;
  }

  /** The most words that an array takes which a clip is worked on in. */
  private words({ frames }: CodedFrames): number {
    const { size } = this;
    return sum(
      frames.map((frame) => Math.max(unpackedWords(frame), size * Math.max(frame.width, frame.height, size))),
    );
  }

  /** Cuts a box out of all frames of each clip and resizes it to the whole. */
  private cropped(pixels: GpuArray, boxes: readonly (Box | undefined)[], length: number): GpuArray {
    const { runtime, size } = this;
    const cropped = runtime.empty([pixels.size], 'u32', 'cropped pixels');
    const whole: Box = { x: 0, y: 0, width: size, height: size };
    const images = boxes.flatMap((box = whole, clip) =>
      Array.from({ length }, (_, frame): Image => {
        const first = ((clip * length + frame) * size + box.y) * size + box.x;
        return { width: box.width, height: box.height, layout: upright(first, size) };
      }),
    );
    this.resize(pixels, images, cropped);
    return cropped;
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
      const jobs = this.jobs(chosen.map(({ record }) => record));
      const width = greatest(chosen.map(({ frame }) => frame.width));
      const height = greatest(chosen.map(({ frame }) => frame.height));
      unpackFrames(this.runtime, { bytes, planar, jobs, pixels, width, height });
    }
  }

  /** Resizes images of `source` to size × size, one behind the other in `pixels`: rows first. */
  private resize(source: GpuArray, images: readonly Image[], pixels: GpuArray): void {
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
    const rows = this.jobs(steps.map((step) => step.rows));
    resampleFrames(runtime, {
      source,
      jobs: rows,
      table,
      pixels: middle,
      axis: 'rows',
      width: size,
      height: highest,
    });
    const columns = this.jobs(steps.map((step) => step.columns));
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

  private jobs(records: readonly (readonly number[])[]): GpuArray {
    const words = Uint32Array.from(records.flat());
    return this.runtime.upload(words, [records.length, records[0]!.length], 'u32', 'pixel jobs');
  }
}

/** Decoding with @napi-rs/webcodecs, which brings FFmpeg's decoders along. */
import { setTimeout as delay } from 'node:timers/promises';
import type * as Library from '@napi-rs/webcodecs';
import type { VideoFrame } from '@napi-rs/webcodecs';
import type { InputVideoTrack } from 'mediabunny';
import { codedFrameBytes, type Colour } from '@tubelet/kernels';
import { keepFrame, keptFrame, shownSize, storedBytes } from '../pixels/coded-frames.js';
import type { Box } from '../pixels/resize.js';
import type { PlanarFrame } from '../pixels/planes.js';
import { findStart, listFrameTimes, withContainer, type Container } from './container.js';
import { findPackets, SAME_TIME_SECONDS, type Packets } from './find-packets.js';
import type { VideoPlace } from '../decode/video-info.js';
import type { FramesPlace, FramesRequest, ProbedVideo } from './protocol.js';
import { RefusedVideoError } from './refused.js';

export type WebCodecs = Pick<typeof Library, 'VideoDecoder' | 'EncodedVideoChunk'>;

/** Packets that wait in the decoder, and frames behind it; both take memory. */
const LONGEST_QUEUE = 32;
/** How long to wait before a full queue is looked at again: the decoder needs the processor meanwhile. */
export const QUEUE_LOOK_MS = 1;

/**
 * Decodes packets and gives the frames that come out, in the order in which they are shown. The times that the library
 * puts on frames are of no use where frames are coded in another order than shown: frames are counted, and it is
 * checked that each packet gave one.
 *
 * @param use called with each wanted frame, one call at a time.
 * @throws RefusedVideoError when packets and frames differ in number, or the decoder complains.
 */
async function decodePackets(
  { VideoDecoder, EncodedVideoChunk }: WebCodecs,
  { track }: Container,
  { packets, count, wanted }: Packets,
  use: (frame: VideoFrame) => Promise<void>,
): Promise<void> {
  const config = await track.getDecoderConfig();
  if (config === null) throw new RefusedVideoError('its codec is not known');
  let failure: unknown;
  let frameCount = 0;
  let used = Promise.resolve();
  let waiting = 0;
  const decoder = new VideoDecoder({
    output(frame) {
      if (!wanted.has(frameCount++) || failure !== undefined) {
        frame.close();
        return;
      }
      waiting++;
      used = used
        .then(() => use(frame))
        .catch((error: unknown) => void (failure ??= error))
        .finally(() => {
          waiting--;
          frame.close();
        });
    },
    error(error) {
      failure ??= new RefusedVideoError(error.message);
    },
  });
  try {
    const { codec, description, codedWidth, codedHeight } = config;
    // For latency: without threads that decode frames ahead; those for the slices of a frame remain. The former take
    // processor time from the processes beside this one, and what they make of a damaged frame depends on their timing.
    decoder.configure({
      ...{
        codec,
        codedWidth,
        codedHeight,
        hardwareAcceleration: 'prefer-software',
        optimizeForLatency: true,
      },
      description: description === undefined ? undefined : new Uint8Array(description as ArrayBuffer),
    });
    for await (const packet of packets) {
      if (failure !== undefined) break;
      const { type, microsecondTimestamp: timestamp, microsecondDuration: duration, data } = packet;
      decoder.decode(new EncodedVideoChunk({ type, timestamp, duration, data }));
      if (waiting > LONGEST_QUEUE) await used;
      while (decoder.decodeQueueSize > LONGEST_QUEUE && failure === undefined) await delay(QUEUE_LOOK_MS);
    }
    await decoder.flush();
    await used;
  } catch (error) {
    failure ??= new RefusedVideoError(error instanceof Error ? error.message : String(error));
  } finally {
    if (decoder.state !== 'closed') decoder.close();
  }
  if (failure !== undefined) throw failure as Error;
  if (frameCount !== count) throw new RefusedVideoError(`${count} packets gave ${frameCount} frames`);
}

/**
 * Copies a part of a frame's planes, one behind the other.
 *
 * @param box even in all its numbers.
 * @param target [3/2 · box.width · box.height], filled.
 * @throws RefusedVideoError for other formats than 4:2:0 with 8 bits
 */
async function copyPlanes(
  frame: VideoFrame,
  { x, y, width, height }: Box,
  target: Uint8Array,
): Promise<void> {
  if (frame.format !== 'I420') throw new RefusedVideoError(`its frames are in the format ${frame.format}`);
  const luma = width * height;
  await frame.copyTo(target, {
    rect: { x: frame.visibleRect.x + x, y: frame.visibleRect.y + y, width, height },
    layout: [
      { offset: 0, stride: width },
      { offset: luma, stride: width / 2 },
      { offset: luma + luma / 4, stride: width / 2 },
    ],
  });
}

/**
 * Copies the planes of a frame.
 *
 * @throws RefusedVideoError for other formats than 4:2:0 with 8 bits
 */
export async function readPlanes(frame: VideoFrame): Promise<PlanarFrame> {
  const { width, height } = frame.visibleRect;
  const data = new Uint8Array(1.5 * width * height);
  await copyPlanes(frame, { x: 0, y: 0, width, height }, data);
  return { width, height, data };
}

/**
 * The colours that ffmpeg sees: those that the coded stream states; of H.264 streams that state none, the container's.
 */
async function colourOf({ colorSpace }: VideoFrame, track: InputVideoTrack): Promise<Colour> {
  const stated = track.codec === 'avc' ? await track.getColorSpace() : {};
  const matrix: string | null | undefined = colorSpace.matrix ?? stated.matrix;
  if (matrix === 'rgb') throw new RefusedVideoError('its planes are red, green and blue');
  return {
    matrix: matrix === 'bt709' ? 'bt709' : matrix === 'bt2020-ncl' ? 'bt2020' : 'bt601',
    fullRange: colorSpace.fullRange === true || stated.fullRange === true,
  };
}

/**
 * Looks at a video and decodes its first packet.
 *
 * @throws RefusedVideoError for what is left to ffmpeg
 */
export function probeContainer(library: WebCodecs, place: VideoPlace): Promise<ProbedVideo> {
  return withContainer(place, async (container) => {
    const { track, sink } = container;
    if (await track.getFlip()) throw new RefusedVideoError('it is shown mirrored');
    const rotation = await track.getRotation();
    const shown = await listFrameTimes(place, container);
    const startSeconds = await findStart(container, shown[0] as number);
    const firstKey = await sink.getFirstKeyPacket();
    let found: Pick<ProbedVideo, 'width' | 'height' | 'colour'> | undefined;
    const first = { packets: firstKey === null ? [] : [firstKey], count: 1, wanted: new Set([0]) };
    await decodePackets(library, container, first, async (frame) => {
      const { width, height } = frame.visibleRect;
      // The library leaves the last chroma samples out.
      if (width % 2 !== 0 || height % 2 !== 0)
        throw new RefusedVideoError('its frames have an odd width or height');
      if (frame.format !== 'I420')
        throw new RefusedVideoError(`its frames are in the format ${frame.format}`);
      const lying = rotation === 90 || rotation === 270;
      found = {
        width: lying ? height : width,
        height: lying ? width : height,
        colour: await colourOf(frame, track),
      };
    });
    if (found === undefined) throw new RefusedVideoError('its first frame cannot be decoded');
    const times = Float64Array.from(shown, (time) => time - startSeconds);
    return { ...found, times, container: { startSeconds, rotation } };
  });
}

/**
 * Decodes frames and gives them one after the other, before they are turned: open while `use` runs.
 *
 * @throws RefusedVideoError
 */
export function eachFrame(
  library: WebCodecs,
  { path, part, times, ...shown }: FramesPlace,
  use: (frame: VideoFrame, position: number) => Promise<void>,
): Promise<void> {
  return withContainer({ path, part }, async (container) => {
    const { sink } = container;
    const key = await sink.getKeyPacket((times[0] as number) + SAME_TIME_SECONDS, { metadataOnly: true });
    if (key === null) throw new RefusedVideoError('there is no key frame in front of the clip');
    const packets = await findPackets(container, key, times);
    const { width, height } = shownSize(shown);
    let position = 0;
    await decodePackets(library, container, packets, async (frame) => {
      const { visibleRect } = frame;
      if (visibleRect.width !== width || visibleRect.height !== height) {
        throw new RefusedVideoError('its frames change their size');
      }
      await use(frame, position++);
    });
  });
}

/**
 * Decodes frames and keeps of them what is used.
 *
 * @throws RefusedVideoError where ffmpeg is to try
 */
export async function decodeFrames(library: WebCodecs, request: FramesRequest): Promise<Uint8Array> {
  const { colour, box, size, times } = request;
  const kept = keptFrame({ colour }, box, size);
  const frameBytes = codedFrameBytes(kept);
  const bytes = new Uint8Array(storedBytes(kept, times.length));
  const { width, height } = box;
  // Even places and sizes are cut out by the library, which saves a copy of the whole frame.
  const isEven = [box.x, box.y, width, height].every((value) => value % 2 === 0);
  await eachFrame(library, request, async (frame, position) => {
    const target = bytes.subarray(position * frameBytes, (position + 1) * frameBytes);
    if (isEven && width === kept.width && height === kept.height) return copyPlanes(frame, box, target);
    const whole = await readPlanes(frame);
    keepFrame({ ...whole, colour }, whole.data, box, size, target);
  });
  return bytes;
}

/** Decoding with @napi-rs/webcodecs, which brings FFmpeg's decoders along. */
import type * as Library from '@napi-rs/webcodecs';
import type { VideoFrame } from '@napi-rs/webcodecs';
import type { InputVideoTrack } from 'mediabunny';
import { codedFrameBytes, type Colour } from '@tubelet/kernels';
import { keepFrame, keptFrame, shownSize, storedBytes } from '../pixels/coded-frames.js';
import type { PlanarFrame } from '../pixels/planes.js';
import { findStart, listFrameTimes, withContainer, type Container } from './container.js';
import { findPackets, SAME_TIME_SECONDS, type Packets } from './find-packets.js';
import type { VideoPlace } from '../decode/video-info.js';
import type { FramesPlace, FramesRequest, ProbedVideo } from './protocol.js';
import { RefusedVideoError } from './refused.js';

export type WebCodecs = Pick<typeof Library, 'VideoDecoder' | 'EncodedVideoChunk'>;

/** Packets that wait in the decoder, and frames behind it; both take memory. */
const LONGEST_QUEUE = 32;

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
    decoder.configure({
      ...{ codec, codedWidth, codedHeight, hardwareAcceleration: 'prefer-software' },
      description: description === undefined ? undefined : new Uint8Array(description as ArrayBuffer),
    });
    for await (const packet of packets) {
      if (failure !== undefined) break;
      const { type, microsecondTimestamp: timestamp, microsecondDuration: duration, data } = packet;
      decoder.decode(new EncodedVideoChunk({ type, timestamp, duration, data }));
      if (waiting > LONGEST_QUEUE) await used;
      while (decoder.decodeQueueSize > LONGEST_QUEUE) await new Promise((resolve) => setImmediate(resolve));
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
 * Copies the planes of a frame.
 *
 * @throws RefusedVideoError for other formats than 4:2:0 with 8 bits
 */
async function readPlanes(frame: VideoFrame): Promise<PlanarFrame> {
  const { format, visibleRect } = frame;
  const { width, height } = visibleRect;
  if (format !== 'I420') throw new RefusedVideoError(`its frames are in the format ${format}`);
  const chromaWidth = Math.ceil(width / 2);
  const chromaBegin = width * height;
  const chromaBytes = chromaWidth * Math.ceil(height / 2);
  const data = new Uint8Array(chromaBegin + 2 * chromaBytes);
  await frame.copyTo(data, {
    layout: [
      { offset: 0, stride: width },
      { offset: chromaBegin, stride: chromaWidth },
      { offset: chromaBegin + chromaBytes, stride: chromaWidth },
    ],
  });
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
      const { width, height } = await readPlanes(frame);
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
 * Decodes frames and gives them one after the other, before they are turned.
 *
 * @throws RefusedVideoError
 */
export function eachFrame(
  library: WebCodecs,
  { path, part, times, ...shown }: FramesPlace,
  use: (planes: PlanarFrame, position: number) => void | Promise<void>,
): Promise<void> {
  return withContainer({ path, part }, async (container) => {
    const { sink } = container;
    const key = await sink.getKeyPacket((times[0] as number) + SAME_TIME_SECONDS, { metadataOnly: true });
    if (key === null) throw new RefusedVideoError('there is no key frame in front of the clip');
    const packets = await findPackets(container, key, times);
    const { width, height } = shownSize(shown);
    let position = 0;
    await decodePackets(library, container, packets, async (frame) => {
      const planes = await readPlanes(frame);
      if (planes.width !== width || planes.height !== height) {
        throw new RefusedVideoError('its frames change their size');
      }
      await use(planes, position++);
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
  await eachFrame(library, request, ({ width, height, data }, position) =>
    keepFrame({ width, height, colour }, data, box, size, bytes.subarray(position * frameBytes)),
  );
  return bytes;
}

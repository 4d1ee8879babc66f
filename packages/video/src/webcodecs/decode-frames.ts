/** Decoding with @napi-rs/webcodecs, which brings FFmpeg's decoders along. */
import type * as Library from '@napi-rs/webcodecs';
import type { VideoFrame } from '@napi-rs/webcodecs';
import type { InputVideoTrack } from 'mediabunny';
import { codedFrameBytes, type Colour } from '@tubelet/kernels';
import { keepFrame, keptFrame, storedBytes } from '../pixels/coded-frames';
import { findStart, listFrameTimes, withContainer, type Container } from './container';
import type { FramesRequest, ProbedVideo } from './protocol';
import { RefusedVideoError } from './refused';

export type WebCodecs = Pick<typeof Library, 'VideoDecoder' | 'EncodedVideoChunk'>;

/** Packets that wait in the decoder; their frames take memory. */
const LONGEST_QUEUE = 32;
/** Times that are nearer to each other are the same: they are stored in ticks. */
const SAME_TIME_SECONDS = 2e-5;

/**
 * Decodes the first `packetCount` packets of a container from the one at `keySeconds` on, and gives the frames that
 * come out, in the order in which they are shown. The times that the library puts on frames are of no use where frames
 * are coded in another order than shown: frames are counted, and it is checked that each packet gave one.
 *
 * @param wanted places of frames, rising.
 * @param use called with each wanted frame, one call at a time.
 * @throws RefusedVideoError when packets and frames differ in number, or the decoder complains.
 */
async function decodePackets(
  { VideoDecoder, EncodedVideoChunk }: WebCodecs,
  { track, sink }: Container,
  keySeconds: number,
  packetCount: number,
  wanted: ReadonlySet<number>,
  use: (frame: VideoFrame) => Promise<void>,
): Promise<void> {
  const config = await track.getDecoderConfig();
  if (config === null) throw new RefusedVideoError('its codec is not known');
  let failure: unknown;
  let frameCount = 0;
  let used = Promise.resolve();
  const decoder = new VideoDecoder({
    output(frame) {
      if (!wanted.has(frameCount++) || failure !== undefined) {
        frame.close();
        return;
      }
      used = used
        .then(() => use(frame))
        .catch((error: unknown) => void (failure ??= error))
        .finally(() => frame.close());
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
    const first = await sink.getKeyPacket(keySeconds);
    let remaining = packetCount;
    for await (const packet of sink.packets(first ?? undefined)) {
      if (remaining-- === 0 || failure !== undefined) break;
      const { type, microsecondTimestamp: timestamp, microsecondDuration: duration, data } = packet;
      decoder.decode(new EncodedVideoChunk({ type, timestamp, duration, data }));
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
  if (frameCount !== packetCount) {
    throw new RefusedVideoError(`${packetCount} packets gave ${frameCount} frames`);
  }
}

/** Throws a RefusedVideoError for other formats than 4:2:0 with 8 bits. */
function requirePlanes({ format }: VideoFrame): void {
  if (format !== 'I420') throw new RefusedVideoError(`its frames are in the format ${format}`);
}

/** Copies the planes of a frame. */
async function readPlanes(frame: VideoFrame, data: Uint8Array): Promise<void> {
  const { width, height } = frame.visibleRect;
  const chromaWidth = Math.ceil(width / 2);
  const chromaBegin = width * height;
  await frame.copyTo(data, {
    layout: [
      { offset: 0, stride: width },
      { offset: chromaBegin, stride: chromaWidth },
      { offset: chromaBegin + chromaWidth * Math.ceil(height / 2), stride: chromaWidth },
    ],
  });
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

/** Looks at a video and decodes its first packet. Throws a RefusedVideoError for what is left to ffmpeg. */
export function probeContainer(library: WebCodecs, path: string): Promise<ProbedVideo> {
  return withContainer(path, async (container) => {
    const { track, sink } = container;
    if (await track.getFlip()) throw new RefusedVideoError('it is shown mirrored');
    const rotation = await track.getRotation();
    const shown = await listFrameTimes(path, container);
    const startSeconds = await findStart(container, shown[0] as number);
    const firstKey = await sink.getFirstKeyPacket({ metadataOnly: true });
    let found: Pick<ProbedVideo, 'width' | 'height' | 'colour'> | undefined;
    await decodePackets(library, container, firstKey?.timestamp ?? 0, 1, new Set([0]), async (frame) => {
      requirePlanes(frame);
      const { width, height } = frame.visibleRect;
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

/** Decodes frames. Throws a RefusedVideoError where ffmpeg is to try. */
export function decodeFrames(library: WebCodecs, request: FramesRequest): Promise<Uint8Array> {
  const { path, times, frame: wantedFrame, box, size } = request;
  return withContainer(path, async (container) => {
    const { sink } = container;
    const key = await sink.getKeyPacket((times[0] as number) + SAME_TIME_SECONDS, { metadataOnly: true });
    if (key === null) throw new RefusedVideoError('there is no key frame in front of the clip');
    const isSame = (a: number, b: number) => Math.abs(a - b) < SAME_TIME_SECONDS;
    // The packets up to the last one that is wanted, in the order in which they are coded.
    const decoded: number[] = [];
    let missing = times.length;
    for await (const packet of sink.packets(key, undefined, { metadataOnly: true })) {
      decoded.push(packet.timestamp);
      if (times.some((time) => isSame(time, packet.timestamp)) && --missing === 0) break;
    }
    decoded.sort((a, b) => a - b);
    const wanted = new Set(Array.from(times, (time) => decoded.findIndex((other) => isSame(time, other))));
    if (missing > 0 || wanted.has(-1)) throw new RefusedVideoError('it holds other frames than before');

    const kept = keptFrame(wantedFrame, box, size);
    const frameBytes = codedFrameBytes(kept);
    const bytes = new Uint8Array(storedBytes(kept, times.length));
    const planes = new Uint8Array(codedFrameBytes(wantedFrame));
    let written = 0;
    await decodePackets(library, container, key.timestamp, decoded.length, wanted, async (frame) => {
      requirePlanes(frame);
      const { width, height } = frame.visibleRect;
      if (width !== wantedFrame.width || height !== wantedFrame.height) {
        throw new RefusedVideoError('its frames change their size');
      }
      await readPlanes(frame, planes);
      keepFrame(wantedFrame, planes, box, size, bytes.subarray(written++ * frameBytes));
    });
    return bytes;
  });
}

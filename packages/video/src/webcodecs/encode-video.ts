/** Encoding with @napi-rs/webcodecs: H.264 without frames that need later ones, in an mp4 file in memory. */
import { setTimeout as delay } from 'node:timers/promises';
import type * as Library from '@napi-rs/webcodecs';
import type { EncodedVideoChunk } from '@napi-rs/webcodecs';
import {
  BufferSource,
  BufferTarget,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import { codedFrameBytes, type Colour } from '@tubelet/kernels';
import { turnFrame } from '../pixels/planes.js';
import { resizePlanes } from '../shards/resize-planes.js';
import { packetsFrom } from './container.js';
import { eachFrame, QUEUE_LOOK_MS, readPlanes, type WebCodecs } from './decode-frames.js';
import { boxesOf } from './mp4-boxes.js';
import type { EncodedVideo, EncodeFramesRequest, EncodeRequest, EncodeShape } from './protocol.js';
import { RefusedVideoError } from './refused.js';

export type EncodingWebCodecs = WebCodecs & Pick<typeof Library, 'VideoEncoder' | 'VideoFrame'>;

const BASELINE_LEVEL_3_1 = 'avc1.42001f';
const BASELINE_LEVEL_5_1 = 'avc1.420033';
/** Frames of a square of this edge are as large as level 3.1 allows. */
const LARGEST_LEVEL_3_1_SIZE = 960;
/** The encoder is told the same rate of all videos. Their own times go into the file. */
const FRAME_RATE = 25;
const FRAME_MICROSECONDS = 1e6 / FRAME_RATE;
/** Frames that wait in the encoder; they take memory. */
const LONGEST_QUEUE = 32;

/** The code points of mp4 and H.264 by which a player finds the matrix again. */
const COLOUR_SPACES = {
  bt601: { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m' },
  bt709: { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' },
  bt2020: { matrix: 'bt2020-ncl', primaries: 'bt2020', transfer: 'bt709' },
} as const;

interface Packet {
  data: Uint8Array;
  type: EncodedVideoChunk['type'];
}

/** An encoder that takes one frame after the other. The same frames give the same packets. */
class PacketEncoder {
  private readonly packets: Packet[] = [];
  private failure: Error | undefined;
  private config: VideoDecoderConfig | undefined;
  private readonly encoder: Library.VideoEncoder;

  constructor(
    private readonly webcodecs: EncodingWebCodecs,
    private readonly shape: EncodeShape,
  ) {
    const { size } = shape;
    this.encoder = new webcodecs.VideoEncoder({
      output: (chunk, metadata) => {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        this.packets.push({ data, type: chunk.type });
        this.config ??= (metadata as EncodedVideoChunkMetadata | undefined)?.decoderConfig;
      },
      error: (error) => (this.failure ??= error),
    });
    this.encoder.configure({
      codec: size > LARGEST_LEVEL_3_1_SIZE ? BASELINE_LEVEL_5_1 : BASELINE_LEVEL_3_1,
      ...{ width: size, height: size, framerate: FRAME_RATE, avc: { format: 'avc' } },
      // Constant quality, x264's own choice of it: the library passes quantizers over, and frames that are held to a rate
      // depend on timing.
      bitrateMode: 'quantizer',
      // In `realtime` the library adds key frames of its own.
      ...{ latencyMode: 'quality', hardwareAcceleration: 'prefer-software' },
    });
  }

  /** @param planes of one frame of 4:2:0. */
  async add(planes: Uint8Array, position: number): Promise<void> {
    const { size, keyFrameInterval } = this.shape;
    const frame = new this.webcodecs.VideoFrame(planes, {
      ...{ format: 'I420', codedWidth: size, codedHeight: size, timestamp: position * FRAME_MICROSECONDS },
    });
    this.encoder.encode(frame, { keyFrame: position % keyFrameInterval === 0 });
    frame.close();
    while (this.encoder.encodeQueueSize > LONGEST_QUEUE && this.failure === undefined) {
      await delay(QUEUE_LOOK_MS);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  async finish(): Promise<{ packets: Packet[]; config: VideoDecoderConfig }> {
    await this.encoder.flush();
    if (this.failure !== undefined) throw this.failure;
    if (this.config === undefined) throw new Error('the encoder did not describe what it made');
    return { packets: this.packets, config: this.config };
  }

  close(): void {
    if (this.encoder.state !== 'closed') this.encoder.close();
  }
}

/** Encodes what `feed` adds, frame by frame. */
async function encode(
  library: EncodingWebCodecs,
  shape: EncodeShape,
  times: Float64Array,
  colour: Colour,
  feed: (encoder: PacketEncoder) => Promise<void>,
): Promise<EncodedVideo> {
  const encoder = new PacketEncoder(library, shape);
  try {
    await feed(encoder);
    const { packets, config } = await encoder.finish();
    if (packets.length !== times.length) {
      throw new Error(`the encoder made ${packets.length} packets of ${times.length} frames`);
    }
    const mp4 = await writeMp4(packets, times, {
      ...config,
      // The types of the DOM do not know BT.2020 yet.
      colorSpace: { ...COLOUR_SPACES[colour.matrix], fullRange: colour.fullRange } as VideoColorSpaceInit,
    });
    return { mp4, times: await readTimes(mp4) };
  } finally {
    encoder.close();
  }
}

async function writeMp4(
  packets: readonly Packet[],
  times: Float64Array,
  decoderConfig: VideoDecoderConfig,
): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
  const source = new EncodedVideoPacketSource('avc');
  output.addVideoTrack(source);
  await output.start();
  const start = times[0] as number;
  const spanSeconds = (times.at(-1) as number) - start;
  const lastSeconds = times.length > 1 ? spanSeconds / (times.length - 1) : 1 / 25;
  for (const [i, { data, type }] of packets.entries()) {
    const time = (times[i] as number) - start;
    const duration = i + 1 < times.length ? (times[i + 1] as number) - start - time : lastSeconds;
    await source.add(new EncodedPacket(data, type, time, duration), i === 0 ? { decoderConfig } : undefined);
  }
  await output.finalize();
  const mp4 = Buffer.from(target.buffer as ArrayBuffer);
  clearDates(mp4);
  return mp4;
}

/** Takes the dates out of an mp4 file, so that equal videos give equal bytes. */
function clearDates(bytes: Buffer): void {
  for (const { type, content } of boxesOf(bytes)) {
    if (type === 'moov' || type === 'trak' || type === 'mdia') clearDates(content);
    else if (type === 'mvhd' || type === 'tkhd' || type === 'mdhd') {
      // Version and flags, then the dates of creation and change.
      content.fill(0, 4, content.readUInt8(0) === 1 ? 20 : 12);
    }
  }
}

/** The times that a decoder will find: they are stored in ticks. */
async function readTimes(mp4: Uint8Array): Promise<Float64Array> {
  const input = new Input({ source: new BufferSource(mp4), formats: [MP4] });
  try {
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw new Error('the file that was made holds no video');
    const times: number[] = [];
    const sink = new EncodedPacketSink(track);
    const metadata = { metadataOnly: true };
    for await (const { timestamp } of packetsFrom(sink, await sink.getFirstPacket(metadata), metadata)) {
      times.push(timestamp);
    }
    return Float64Array.from(times);
  } finally {
    input.dispose();
  }
}

/**
 * Decodes a video, cuts and sizes its frames as planes, and encodes them.
 *
 * @throws RefusedVideoError
 */
export function encodeVideo(library: EncodingWebCodecs, request: EncodeRequest): Promise<EncodedVideo> {
  const { times, colour, box, size } = request;
  return encode(library, request, times, colour, async (encoder) => {
    let given = 0;
    await eachFrame(library, request, async (frame, position) => {
      const coded = await readPlanes(frame);
      const planes = request.rotation === 0 ? coded : turnFrame(coded, request.rotation);
      await encoder.add(resizePlanes(planes, box, size), position);
      given++;
    });
    if (given !== times.length)
      throw new RefusedVideoError(`${given} of ${times.length} frames were decoded`);
  });
}

/** Encodes decoded frames. */
export function encodePlanes(
  library: EncodingWebCodecs,
  request: EncodeFramesRequest,
): Promise<EncodedVideo> {
  const { planes, times, colour, size } = request;
  const frameBytes = codedFrameBytes({ width: size, height: size, colour });
  return encode(library, request, times, colour, async (encoder) => {
    for (let i = 0; i < times.length; i++) {
      await encoder.add(planes.subarray(i * frameBytes, (i + 1) * frameBytes), i);
    }
  });
}

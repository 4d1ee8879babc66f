/** Videos in codecs that the WebAssembly ffmpeg cannot write, or not in reasonable time. */
import { VideoEncoder, VideoFrame, type EncodedVideoChunk } from '@napi-rs/webcodecs';
import {
  EncodedPacket,
  EncodedVideoPacketSource,
  FilePathTarget,
  Mp4OutputFormat,
  Output,
  WebMOutputFormat,
} from 'mediabunny';

const FRAME_MICROSECONDS = 40_000;
const CODEC_NAMES = { avc1: 'avc', hev1: 'hevc', vp8: 'vp8', vp09: 'vp9' } as const;

/** Planes of frames with a pattern that moves. */
function planesOf(index: number, width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2));
  for (let i = 0; i < bytes.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    bytes[i] = 128 + 55 * Math.sin((x + 3 * index) / 17) + 50 * Math.cos((y - index) / 9);
  }
  return bytes;
}

/** Encodes frames at 25 a second. The extension of `path`, mp4 or webm, tells the container. */
export async function encodeWithWebCodecs(
  path: string,
  codec: string,
  {
    width,
    height,
    count,
    keyFrameInterval = 10,
  }: { width: number; height: number; count: number; keyFrameInterval?: number },
): Promise<void> {
  const format = path.endsWith('.webm') ? new WebMOutputFormat() : new Mp4OutputFormat();
  const output = new Output({ format, target: new FilePathTarget(path) });
  const source = new EncodedVideoPacketSource(CODEC_NAMES[codec.split('.')[0] as keyof typeof CODEC_NAMES]);
  output.addVideoTrack(source, { frameRate: 25 });
  await output.start();
  const chunks: { chunk: EncodedVideoChunk; metadata: unknown }[] = [];
  let failure: Error | undefined;
  const encoder = new VideoEncoder({
    output: (chunk, metadata) => chunks.push({ chunk, metadata }),
    error: (error) => (failure ??= error),
  });
  encoder.configure({
    codec,
    width,
    height,
    bitrate: 400_000,
    framerate: 25,
    // Without B-frames: the library would give their packets the times of others.
    latencyMode: 'realtime',
    hardwareAcceleration: 'prefer-software',
  });
  for (let i = 0; i < count; i++) {
    const frame = new VideoFrame(planesOf(i, width, height), {
      ...{ format: 'I420', codedWidth: width, codedHeight: height },
      ...{ timestamp: i * FRAME_MICROSECONDS, duration: FRAME_MICROSECONDS },
    });
    encoder.encode(frame, { keyFrame: i % keyFrameInterval === 0 });
    frame.close();
  }
  await encoder.flush();
  encoder.close();
  if (failure !== undefined) throw failure;
  for (const { chunk, metadata } of chunks) {
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const packet = new EncodedPacket(data, chunk.type, chunk.timestamp / 1e6, FRAME_MICROSECONDS / 1e6);
    await source.add(packet, metadata as EncodedVideoChunkMetadata);
  }
  await output.finalize();
}

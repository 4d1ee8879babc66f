/** Packets of mp4, mov, webm and mkv files. */
import { stat } from 'node:fs/promises';
import {
  EncodedPacketSink,
  FilePathSource,
  Input,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
  type EncodedPacket,
  type InputVideoTrack,
  type PacketRetrievalOptions,
} from 'mediabunny';
import type { VideoPlace } from '../decode/video-info.js';
import { findEditEnd } from './edit-list.js';
import { RefusedVideoError } from './refused.js';

export interface Container {
  input: Input;
  track: InputVideoTrack;
  sink: EncodedPacketSink;
}

/** Two frames closer than this could not be told apart by their times. */
const SHORTEST_FRAME_SECONDS = 1e-4;

/** Opens a file for as long as `use` runs. */
export async function withContainer<T>(
  { path, part }: VideoPlace,
  use: (container: Container) => Promise<T>,
): Promise<T> {
  const file = new FilePathSource(part?.path ?? path);
  const source = part === undefined ? file : file.slice(part.begin, part.length);
  const input = new Input({ source, formats: [MP4, QTFF, MATROSKA, WEBM] });
  try {
    const [track] = await input.getVideoTracks();
    if (track === undefined) throw new RefusedVideoError('it holds no video track');
    return await use({ input, track, sink: new EncodedPacketSink(track) });
  } finally {
    input.dispose();
  }
}

/**
 * Packets in the order in which they are coded, `first` and those behind it. `sink.packets` reads ahead, as
 * players need it, which takes longer than reading the packets.
 */
export async function* packetsFrom(
  sink: EncodedPacketSink,
  first: EncodedPacket | null,
  options?: PacketRetrievalOptions,
): AsyncGenerator<EncodedPacket, void> {
  for (let packet = first; packet !== null; packet = await sink.getNextPacket(packet, options)) yield packet;
}

/**
 * When each frame is shown, by the container's own times, rising; frames that an edit list hides are left out.
 *
 * @throws RefusedVideoError where frames could not be counted from a key frame on, or ffmpeg would show others.
 */
export async function listFrameTimes(place: VideoPlace, { sink }: Container): Promise<number[]> {
  const times: number[] = [];
  const lengthBytes = place.part?.length ?? (await stat(place.path)).size;
  let lastKey = -Infinity;
  let last: EncodedPacket | undefined;
  const metadata = { metadataOnly: true };
  for await (const packet of packetsFrom(sink, await sink.getFirstPacket(metadata), metadata)) {
    if (packet.type === 'key') lastKey = packet.timestamp;
    else if (packet.timestamp < lastKey || lastKey === -Infinity) {
      throw new RefusedVideoError('frames behind a key frame need those in front of it');
    }
    times.push(packet.timestamp);
    // Tables of a few bytes can promise any number of packets.
    if (times.length > lengthBytes) throw new RefusedVideoError('it promises more frames than it has bytes');
    last = packet;
  }
  if (last === undefined) throw new RefusedVideoError('it holds no frames');
  // In a file that ends early, its header promises packets that are not there.
  const whole = await sink.getPacket(last.timestamp);
  if (whole === null || whole.data.length !== last.byteLength) {
    throw new RefusedVideoError('its last frame is not there');
  }
  times.sort((a, b) => a - b);
  for (let i = 1; i < times.length; i++) {
    if ((times[i] as number) - (times[i - 1] as number) < SHORTEST_FRAME_SECONDS) {
      throw new RefusedVideoError('two frames are shown at the same time');
    }
  }
  const shown = times.filter((time) => time > -1e-3);
  if (shown.length === 0) throw new RefusedVideoError('it shows no frames');
  if ((shown.at(-1) as number) >= (await findEditEnd(place)) - SHORTEST_FRAME_SECONDS) {
    throw new RefusedVideoError('its edit list cuts frames off');
  }
  return shown;
}

/** The time in the container at which the file starts: its first frame or sound that is not hidden. */
export async function findStart({ input, track }: Container, firstFrame: number): Promise<number> {
  let start = firstFrame;
  for (const other of await input.getTracks()) {
    if (other.id !== track.id) start = Math.min(start, Math.max(0, await other.getFirstTimestamp()));
  }
  return start;
}

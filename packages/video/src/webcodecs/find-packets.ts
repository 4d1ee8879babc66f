/** Which packets of a container must be decoded for the frames of a clip. */
import type { EncodedPacket, EncodedPacketSink } from 'mediabunny';
import { packetsFrom, type Container } from './container.js';
import { RefusedVideoError } from './refused.js';

/** Times that are nearer to each other are the same: they are stored in ticks. */
export const SAME_TIME_SECONDS = 2e-5;

/** What is decoded of a container, and what is wanted of it. */
export interface Packets {
  /** Those that are decoded, in the order in which they are coded. */
  packets: AsyncIterable<EncodedPacket> | Iterable<EncodedPacket>;
  count: number;
  /** Places of the frames that are wanted, among those decoded in the order in which they are shown. */
  wanted: ReadonlySet<number>;
}

interface ListedPacket {
  timestamp: number;
  wanted: boolean;
  /** Of a group with a wanted packet, and not behind the last of them. */
  needed: boolean;
}

/**
 * The packets that frames need, from a key frame on: of each group from one key frame to the next those up to the last
 * one that is wanted, and none of a group without any. Of H.264, frames that no other refers to are left out as well
 * unless they are wanted; common encoders write every other frame so.
 *
 * @param times when the wanted frames are shown, rising.
 * @throws RefusedVideoError where the container does not hold them.
 */
export async function findPackets(
  { sink, track }: Container,
  key: EncodedPacket,
  times: Float64Array,
): Promise<Packets> {
  const listed = await listPackets(sink, key, times);
  const packets = dataPackets(sink, key, listed.length);
  const wantedAmong = (decoded: number[]) => {
    decoded.sort((a, b) => a - b);
    return new Set(Array.from(times, (time) => placeOf(decoded, time)));
  };
  // Where most frames are wanted, as of a whole video, choosing would gain little and keep all packets in memory.
  if (2 * times.length >= listed.length) {
    return { packets, count: listed.length, wanted: wantedAmong(listed.map(({ timestamp }) => timestamp)) };
  }
  const lengthBytes = track.codec === 'avc' ? unitLengthBytes(await track.getDecoderConfig()) : undefined;
  const kept: EncodedPacket[] = [];
  let i = 0;
  for await (const packet of packets) {
    const { needed, wanted } = listed[i++] as ListedPacket;
    const unused = lengthBytes !== undefined && !isReference(packet.data, lengthBytes);
    if (wanted || (needed && !unused)) kept.push(packet);
  }
  return {
    packets: kept,
    count: kept.length,
    wanted: wantedAmong(kept.map(({ timestamp }) => timestamp)),
  };
}

/** The packets from a key frame to the last one that is wanted. */
async function listPackets(
  sink: EncodedPacketSink,
  key: EncodedPacket,
  times: Float64Array,
): Promise<ListedPacket[]> {
  const listed: ListedPacket[] = [];
  let missing = times.length;
  let firstUndecided = 0;
  for await (const { timestamp, type } of packetsFrom(sink, key, { metadataOnly: true })) {
    if (type === 'key') firstUndecided = listed.length;
    const wanted = placeOf(times, timestamp) >= 0;
    listed.push({ timestamp, wanted, needed: false });
    if (!wanted) continue;
    for (; firstUndecided < listed.length; firstUndecided++) {
      (listed[firstUndecided] as ListedPacket).needed = true;
    }
    if (--missing === 0) return listed;
  }
  throw new RefusedVideoError('it holds other frames than before');
}

/** The first packets from a key frame on, with what is in them. */
async function* dataPackets(
  sink: EncodedPacketSink,
  key: EncodedPacket,
  count: number,
): AsyncGenerator<EncodedPacket, void> {
  let remaining = count;
  for await (const packet of packetsFrom(sink, await sink.getKeyPacket(key.timestamp))) {
    yield packet;
    if (--remaining === 0) return;
  }
}

/** Where a time stands among others that rise; −1 where it does not. */
function placeOf(rising: ArrayLike<number>, time: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as number) < time - SAME_TIME_SECONDS) low = middle + 1;
    else high = middle;
  }
  return Math.abs((rising[low] ?? Infinity) - time) < SAME_TIME_SECONDS ? low : -1;
}

/** Bytes of the length in front of each unit of H.264 in a packet; undefined where the description does not tell. */
function unitLengthBytes(config: VideoDecoderConfig | null): number | undefined {
  const { description } = config ?? {};
  if (description === undefined) return undefined;
  const bytes = ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
  const sizes = bytes[4];
  return sizes === undefined ? undefined : (sizes & 3) + 1;
}

/** Whether other frames may refer to that of a packet (`nal_ref_idc` of its slices, ITU-T H.264, 7.4.1). */
function isReference(data: Uint8Array, lengthBytes: number): boolean {
  for (let at = 0; at + lengthBytes < data.length;) {
    let length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (data[at + i] as number);
    const header = data[at + lengthBytes] as number;
    const type = header & 31;
    if (type >= 1 && type <= 5) return (header >> 5) % 4 !== 0;
    at += lengthBytes + length;
  }
  return true;
}

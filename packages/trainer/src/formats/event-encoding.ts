/**
 * TensorBoard's `Event` messages in protocol-buffer encoding, and their TFRecord frames. Field numbers are
 * those of TensorFlow's `event.proto` and `summary.proto`.
 */
import { maskedCrc32c } from './crc32c.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  // Division rather than shifts: steps may need more than 32 bits.
  while (value >= 0x80) {
    bytes.push((value % 0x80) | 0x80);
    value = Math.floor(value / 0x80);
  }
  bytes.push(value);
  return Uint8Array.from(bytes);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function tag(field: number, wireType: number): Uint8Array {
  return varint(field * 8 + wireType);
}

function integerField(field: number, value: number): Uint8Array {
  return concat([tag(field, VARINT), varint(value)]);
}

function doubleField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return concat([tag(field, FIXED64), bytes]);
}

function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concat([tag(field, FIXED32), bytes]);
}

function bytesField(field: number, value: Uint8Array): Uint8Array {
  return concat([tag(field, LENGTH_DELIMITED), varint(value.length), value]);
}

function textField(field: number, value: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(value));
}

function event(wallTimeS: number, step: number, content: Uint8Array): Uint8Array {
  return concat([doubleField(1, wallTimeS), integerField(2, step), content]);
}

/** The event that every file begins with. */
export function versionEvent(wallTimeS: number): Uint8Array {
  return concat([doubleField(1, wallTimeS), textField(3, 'brain.Event:2')]);
}

/** Tells TensorBoard to forget what earlier files hold from `step` on: the run goes on from there. */
export function restartEvent(wallTimeS: number, step: number): Uint8Array {
  const START = 1;
  return event(wallTimeS, step, bytesField(7, integerField(1, START)));
}

export function scalarsEvent(
  wallTimeS: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).map(([name, value]) =>
    bytesField(1, concat([textField(1, name), floatField(2, value)])),
  );
  return event(wallTimeS, step, bytesField(5, concat(values)));
}

/** `colourChannels`: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
export interface PngSize {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly colourChannels: number;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const IHDR_END = 33;
const CHANNELS_OF_COLOUR_TYPE = new Map([
  [0, 1],
  [2, 3],
  [3, 3],
  [4, 2],
  [6, 4],
]);

/**
 * The size that a PNG's header states.
 *
 * @throws RangeError when `png` does not begin like a PNG
 */
export function pngSize(png: Uint8Array): PngSize {
  const channels = CHANNELS_OF_COLOUR_TYPE.get(png[25] ?? -1);
  if (png.length < IHDR_END || PNG_SIGNATURE.some((byte, i) => png[i] !== byte) || channels === undefined) {
    throw new RangeError(
      `${png.length} bytes that begin with ${[...png.subarray(0, 8)]} are not a PNG image`,
    );
  }
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { widthPixels: view.getUint32(16), heightPixels: view.getUint32(20), colourChannels: channels };
}

export function imageEvent(wallTimeS: number, step: number, name: string, png: Uint8Array): Uint8Array {
  const { widthPixels, heightPixels, colourChannels } = pngSize(png);
  const image = concat([
    integerField(1, heightPixels),
    integerField(2, widthPixels),
    integerField(3, colourChannels),
    bytesField(4, png),
  ]);
  return event(
    wallTimeS,
    step,
    bytesField(5, bytesField(1, concat([textField(1, name), bytesField(4, image)]))),
  );
}

/** One record of a TFRecord file: length, its masked CRC, the data, their masked CRC. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(12 + data.length + 4);
  const view = new DataView(frame.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(frame.subarray(0, 8)), true);
  frame.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return frame;
}

import { maskedCrc32c } from '../formats/crc32c.js';

/** A decoded message: field number to values, numbers for fixed and varint fields, bytes for the others. */
export type Message = Map<number, (number | Uint8Array)[]>;

/** Splits a TFRecord file into its records, checking both CRCs of each. */
export function readRecords(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = file.subarray(at + 12, at + 12 + length);
    const good =
      view.getUint32(at + 8, true) === maskedCrc32c(file.subarray(at, at + 8)) &&
      view.getUint32(at + 12 + length, true) === maskedCrc32c(data);
    if (!good) throw new Error(`bad CRC in the record at byte ${at}`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Decodes one level of a protocol-buffer message. */
export function decodeMessage(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const message: Message = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wireType] = [Math.floor(key / 8), key % 8];
    let value: number | Uint8Array;
    if (wireType === 0) value = varint();
    else if (wireType === 1) value = view.getFloat64((at += 8) - 8, true);
    else if (wireType === 5) value = view.getFloat32((at += 4) - 4, true);
    else if (wireType === 2) {
      const length = varint();
      value = bytes.subarray(at, (at += length));
    } else throw new Error(`wire type ${wireType} at byte ${at}`);
    message.set(field, [...(message.get(field) ?? []), value]);
  }
  return message;
}

/** The message in `field`, decoded; its `index`-th occurrence. */
export function inner(message: Message, field: number, index = 0): Message {
  const value = message.get(field)?.[index];
  if (!(value instanceof Uint8Array)) throw new Error(`field ${field} holds no message`);
  return decodeMessage(value);
}

export function textOf(message: Message, field: number): string {
  const value = message.get(field)?.[0];
  if (!(value instanceof Uint8Array)) throw new Error(`field ${field} holds no text`);
  return new TextDecoder().decode(value);
}

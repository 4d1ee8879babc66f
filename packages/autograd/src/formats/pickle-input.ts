/** The bytes of a pickle, read from front to back. */
import { CheckpointFormatError } from './pytorch-errors.js';

/** An integer of more bytes than this is not a number that a checkpoint needs, and slow to build. */
const MAX_LONG_BYTES = 255;

/** Reads a pickle's opcodes and their arguments; every read past the end is an error of the file. */
export class PickleInput {
  position = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(lengthBytes: number): Uint8Array {
    if (this.position + lengthBytes > this.bytes.length) {
      throw new CheckpointFormatError(
        `the pickle ends at byte ${this.bytes.length} within an argument of ${lengthBytes} bytes`,
      );
    }
    this.position += lengthBytes;
    return this.bytes.subarray(this.position - lengthBytes, this.position);
  }

  private at(lengthBytes: number): number {
    this.take(lengthBytes);
    return this.position - lengthBytes;
  }

  u8 = (): number => this.view.getUint8(this.at(1));
  u16 = (): number => this.view.getUint16(this.at(2), true);
  u32 = (): number => this.view.getUint32(this.at(4), true);
  i32 = (): number => this.view.getInt32(this.at(4), true);
  u64 = (): number => Number(this.view.getBigUint64(this.at(8), true));
  f64 = (): number => this.view.getFloat64(this.at(8), false);

  text(lengthBytes: number): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.take(lengthBytes));
  }

  latin1(lengthBytes: number): string {
    let text = '';
    for (const byte of this.take(lengthBytes)) text += String.fromCharCode(byte);
    return text;
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw new CheckpointFormatError(`the pickle ends within a name at byte ${this.position}`);
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }

  /** A little-endian two's complement integer; a bigint where a number is not exact. */
  long(lengthBytes: number): number | bigint {
    if (lengthBytes > MAX_LONG_BYTES) {
      throw new CheckpointFormatError(`the pickle holds an integer of ${lengthBytes} bytes`);
    }
    let value = 0n;
    const bytes = this.take(lengthBytes);
    for (let i = lengthBytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * lengthBytes, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}

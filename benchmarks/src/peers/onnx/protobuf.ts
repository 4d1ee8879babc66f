/**
 * Bytes of one Protocol Buffers message, written field by field
 * (https://protobuf.dev/programming-guides/encoding/).
 */
export class ProtobufMessage {
  private readonly parts: Uint8Array[] = [];

  /** Field of type int64, int32 or enum, not negative. */
  integer(field: number, value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`field ${field} is ${value}; only whole numbers from 0 are written`);
    }
    this.parts.push(varint(8 * field), varint(value));
    return this;
  }

  /** Field of type float. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.parts.push(varint(8 * field + 5), bytes);
    return this;
  }

  /** Field of type string, bytes or message. */
  bytes(field: number, value: string | Uint8Array | ProtobufMessage): this {
    const bytes =
      typeof value === 'string'
        ? new TextEncoder().encode(value)
        : value instanceof ProtobufMessage
          ? value.encode()
          : value;
    this.parts.push(varint(8 * field + 2), varint(bytes.length), bytes);
    return this;
  }

  encode(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of this.parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return bytes;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

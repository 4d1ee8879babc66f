/** The boxes that mp4 and mov files are made of. */

export interface Mp4Box {
  type: string;
  content: Buffer;
}

/** The boxes that lie one behind the other in `bytes`. */
export function* boxesOf(bytes: Buffer): Generator<Mp4Box> {
  for (let at = 0; at + 8 <= bytes.length;) {
    let header = 8;
    let length = bytes.readUInt32BE(at);
    if (length === 1 && at + 16 <= bytes.length) {
      header = 16;
      length = Number(bytes.readBigUInt64BE(at + 8));
    } else if (length === 0) length = bytes.length - at;
    if (length < header) return;
    const type = bytes.toString('latin1', at + 4, at + 8);
    yield { type, content: bytes.subarray(at + header, at + length) };
    at += length;
  }
}

/** The content of the box at the end of a path of types, if it is there. */
export function findBox(bytes: Buffer, [type, ...below]: string[]): Buffer | undefined {
  for (const box of boxesOf(bytes)) {
    if (box.type === type) return below.length === 0 ? box.content : findBox(box.content, below);
  }
  return undefined;
}

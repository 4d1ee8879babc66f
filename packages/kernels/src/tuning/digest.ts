// Powers of two of the 64-bit FNV prime, 2^40 + 0x1b3, and its starting value in two halves.
const PRIME_LOW = 0x1b3;
const PRIME_SHIFT = 8; // 2^40 moves the low half into the high one by 40 − 32 bits
const START_HIGH = 0xcbf29ce4;
const START_LOW = 0x84222325;

/** 16 hexadecimal digits that name a text: FNV-1a over its UTF-16 code units, low byte first, 64 bits wide. */
export function digestOf(text: string): string {
  let high = START_HIGH;
  let low = START_LOW;
  const add = (byte: number) => {
    low ^= byte;
    // Exact in double precision: 32 bits by 9.
    const product = (low >>> 0) * PRIME_LOW;
    high = (Math.imul(high, PRIME_LOW) + (low << PRIME_SHIFT) + Math.floor(product / 2 ** 32)) | 0;
    low = product | 0;
  };
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    add(unit & 0xff);
    add(unit >> 8);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

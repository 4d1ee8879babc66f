/**
 * Philox 4×32-10, a counter-based random number generator: the same bits here and in WGSL.
 *
 * Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, “Parallel random numbers: as easy as 1, 2, 3”,
 * SC 2011.
 *
 * Layout of a stream, which the kernels follow word by word (all words are u32):
 *
 * | word       | holds                                                             |
 * |------------|-------------------------------------------------------------------|
 * | key[0]     | seed, low 32 bits                                                 |
 * | key[1]     | seed, high bits (seed is an integer below 2^53)                   |
 * | counter[0] | block index b = 0, 1, 2, …: block b gives draws 4b, 4b+1, 4b+2, 4b+3 |
 * | counter[1] | sample                                                            |
 * | counter[2] | epoch                                                             |
 * | counter[3] | purpose: what the stream is for, see `streamPurpose`                |
 *
 * What is made of a draw x:
 * - uniform: `(x >> 8) · 2^-24`, in [0, 1), exact in f32;
 * - integer below n: draws at or above `2^32 − (2^32 mod n)` are passed over, then `x mod n`;
 * - normal: draws (x, y) in pairs give `r·cos(θ)` and then `r·sin(θ)`, with
 *   `r = √(−2 ln(((x >> 8) + 1) · 2^-24))`, `θ = 2π · (y >> 8) · 2^-24` (Box–Muller; x is shifted by one
 *   step so that the logarithm never sees zero). Transcendental functions differ between devices, so normals
 *   agree to rounding only;
 * - shuffle: Fisher–Yates from the last position i down to 1, exchanging i with integer(i + 1).
 */

/** Four 32-bit words. */
export type Words4 = [number, number, number, number];
/** Two 32-bit words. */
export type Words2 = [number, number];

/**
 * What a stream is for: two streams that differ in it never share a draw. Made by `streamPurpose`, so that all of them
 * can be found.
 */
export type StreamPurpose = number & { readonly streamPurpose: true };

/**
 * Declares a purpose, beside what draws for it. A test of the whole repository sees that no two declarations have the
 * same number; the number is part of what makes a run repeatable, so that it never changes and the next one is new.
 *
 * @param number a u32, written out
 * @throws RangeError for any other number
 */
export function streamPurpose(number: number): StreamPurpose {
  checkWord('purpose', number);
  return number as StreamPurpose;
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;
const TWO_POW_MINUS_24 = 2 ** -24;
const TWO_POW_32 = 2 ** 32;
/** Draws that a stream makes at once, at most. */
const LONGEST_DRAW_AHEAD = 4096;

/** High 32 bits, as an int32, of the 64-bit product of two u32 given in 16-bit halves, so that every step is exact. */
function mulHigh(aLow: number, aHigh: number, b: number): number {
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const outer = Math.imul(aHigh, bLow) >>> 0;
  const inner = Math.imul(aLow, bHigh) >>> 0;
  const carry = (Math.imul(aLow, bLow) >>> 16) + (outer & 0xffff) + (inner & 0xffff);
  return (Math.imul(aHigh, bHigh) + (outer >>> 16) + (inner >>> 16) + (carry >>> 16)) | 0;
}

/** Philox 4×32-10 blocks into `target` [4 · blocks], the first with this counter, the others with it counted up. */
function fillBlocks(counter: Readonly<Words4>, key: Readonly<Words2>, target: Uint32Array): void {
  for (let at = 0, block = counter[0]; at < target.length; at += 4, block++) {
    let [c0, c1, c2, c3] = [block | 0, counter[1] | 0, counter[2] | 0, counter[3] | 0];
    let [k0, k1] = [key[0] | 0, key[1] | 0];
    for (let round = 0; round < ROUNDS; round++) {
      const high0 = mulHigh(MULTIPLIER_0 & 0xffff, MULTIPLIER_0 >>> 16, c0);
      const high1 = mulHigh(MULTIPLIER_1 & 0xffff, MULTIPLIER_1 >>> 16, c2);
      const low0 = Math.imul(MULTIPLIER_0, c0);
      const low1 = Math.imul(MULTIPLIER_1, c2);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + WEYL_0) | 0;
      k1 = (k1 + WEYL_1) | 0;
    }
    target[at] = c0;
    target[at + 1] = c1;
    target[at + 2] = c2;
    target[at + 3] = c3;
  }
}

/**
 * One Philox 4×32-10 block.
 *
 * @param counter four u32 words.
 * @param key two u32 words.
 * @returns four u32 words.
 */
export function philox4x32(counter: Readonly<Words4>, key: Readonly<Words2>): Words4 {
  const block = new Uint32Array(4);
  fillBlocks(counter, key, block);
  return [...block] as Words4;
}

/** What names a stream. Each of `epoch` and `sample` is a u32, `seed` an integer in [0, 2^53). */
export interface PhiloxStreamKey {
  seed: number;
  purpose: StreamPurpose;
  /** Default 0. */
  epoch?: number;
  /** Default 0. */
  sample?: number;
}

/**
 * The key words of a seed: `[low 32 bits, high bits]`.
 *
 * @throws RangeError unless 0 ≤ seed < 2^53, an integer
 */
export function philoxKey(seed: number): Words2 {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed is ${seed}: give an integer from 0 to 2^53 − 1.`);
  }
  return [seed % TWO_POW_32, Math.floor(seed / TWO_POW_32)];
}

function checkWord(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= TWO_POW_32) {
    throw new RangeError(`${name} is ${value}: give an integer from 0 to 2^32 − 1.`);
  }
}

/**
 * The draws of one (seed, purpose, epoch, sample). There is no state to save: making the stream again gives the
 * same draws, on any machine and in any order of samples.
 */
export class PhiloxStream {
  private readonly key: Words2;
  private readonly counter: Words4;
  private draws = new Uint32Array(0);
  private position = 0;
  private spareNormal: number | undefined;

  /** @throws RangeError when a number does not fit its words */
  constructor({ seed, purpose, epoch = 0, sample = 0 }: PhiloxStreamKey) {
    checkWord('epoch', epoch);
    checkWord('sample', sample);
    this.key = philoxKey(seed);
    this.counter = [0, sample, epoch, purpose];
  }

  /** The first block of which nothing has been drawn. */
  get nextBlock(): number {
    return this.counter[0] - Math.floor((this.draws.length - this.position) / 4);
  }

  /** The next draw, uniform over all u32. */
  nextUint32(): number {
    if (this.position === this.draws.length) this.drawAhead();
    return this.draws[this.position++] as number;
  }

  /** Uniform in [0, 1), a multiple of 2^-24. Uses one draw. */
  uniform(): number {
    return (this.nextUint32() >>> 8) * TWO_POW_MINUS_24;
  }

  /**
   * Uniform over 0 … n − 1 without bias; n from 1 to 2^32.
   *
   * @throws RangeError for any other n
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_POW_32) {
      throw new RangeError(`n is ${n}: give an integer from 1 to 2^32.`);
    }
    let draw = this.nextUint32();
    // Only a draw this near to 2^32 can be one to pass over.
    if (draw >= TWO_POW_32 - n) {
      const limit = TWO_POW_32 - (TWO_POW_32 % n);
      while (draw >= limit) draw = this.nextUint32();
    }
    // The remainder: `%` is several times slower on numbers above 2^31.
    return draw - Math.floor(draw / n) * n;
  }

  /** Standard normal. Two calls use two draws: the first gives the cosine half, the second the sine half. */
  normal(): number {
    if (this.spareNormal !== undefined) {
      const spare = this.spareNormal;
      this.spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(((this.nextUint32() >>> 8) + 1) * TWO_POW_MINUS_24));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Shuffles in place (Fisher–Yates) and returns what it was given. */
  shuffle<T extends { [index: number]: unknown; readonly length: number }>(array: T): T {
    const items: { [index: number]: unknown } = array;
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return array;
  }

  /** Makes more draws the more there were: most streams give a few, and one that shuffles a million. */
  private drawAhead(): void {
    const length = Math.min(Math.max(2 * this.draws.length, 4), LONGEST_DRAW_AHEAD);
    if (length !== this.draws.length) this.draws = new Uint32Array(length);
    fillBlocks(this.counter, this.key, this.draws);
    this.counter[0] = (this.counter[0] + length / 4) >>> 0;
    this.position = 0;
  }
}

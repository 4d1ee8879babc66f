/**
 * Tensors that need no storage: a stream of 64-bit values from a name, defined so that any language can make them.
 * h = FNV-1a 64 of the UTF-8 name; element i is the splitmix64 finaliser of h + (i + 1) · 0x9E3779B97F4A7C15.
 * 64-bit arithmetic is done on pairs of 32-bit words: BigInt would take minutes for a base-size model.
 */

/** The top 32 bits of each of the first `count` values of the stream `name`. */
export function proceduralHighWords(name: string, count: number): Uint32Array {
  const words = new Uint32Array(count);
  let [hi, lo] = fnv1a64(name);
  for (let i = 0; i < count; i++) {
    const sum = lo + 0x7f4a7c15;
    lo = sum >>> 0;
    hi = (hi + 0x9e3779b9 + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    // z ^= z >> 30; z *= 0xBF58476D1CE4E5B9
    let zl = (lo ^ ((hi << 2) | (lo >>> 30))) >>> 0;
    let zh = (hi ^ (hi >>> 30)) >>> 0;
    let high = (mulHigh(zl, 0x1ce4e5b9) + Math.imul(zh, 0x1ce4e5b9) + Math.imul(zl, 0xbf58476d)) >>> 0;
    const low = Math.imul(zl, 0x1ce4e5b9) >>> 0;
    // z ^= z >> 27; z *= 0x94D049BB133111EB
    zl = (low ^ ((high << 5) | (low >>> 27))) >>> 0;
    zh = (high ^ (high >>> 27)) >>> 0;
    high = (mulHigh(zl, 0x133111eb) + Math.imul(zh, 0x133111eb) + Math.imul(zl, 0x94d049bb)) >>> 0;
    // z ^= z >> 31, of which only the top word is wanted
    words[i] = (high ^ (high >>> 31)) >>> 0;
  }
  return words;
}

/** Integers 0…255. */
export function proceduralBytes(name: string, count: number): Uint8Array {
  return Uint8Array.from(proceduralHighWords(name, count), (word) => word >>> 24);
}

/** Multiples of 2⁻²³ in [−1, 1). */
export function proceduralSigned(name: string, count: number): Float64Array {
  return Float64Array.from(proceduralHighWords(name, count), (word) => ((word >>> 8) - 2 ** 23) / 2 ** 23);
}

/** Values of a model parameter by its state-dict name: scaled like a trained network's. */
export function proceduralParameter(name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const values = proceduralSigned(name, count);
  const path = name.split('.');
  const leaf = path.at(-1)!;
  const owner = path.at(-2) ?? '';
  let rule: (value: number) => number;
  if (owner.includes('norm')) rule = leaf === 'weight' ? (v) => 1 + 0.1 * v : (v) => 0.05 * v;
  else if (['bias', 'q_bias', 'v_bias'].includes(leaf)) rule = (v) => 0.05 * v;
  else if (['mask_token', 'lg_region_tokens', 'pos_embed', 'cls_token'].includes(leaf)) rule = (v) => 0.5 * v;
  else {
    const inputs = shape.slice(1).reduce((product, extent) => product * extent, 1);
    const scale = Math.sqrt(3 / inputs);
    rule = (v) => v * scale;
  }
  return Float32Array.from(values, rule);
}

const MEAN = [0.485, 0.456, 0.406].map(Math.fround);
const STD = [0.229, 0.224, 0.225].map(Math.fround);

/** A normalised video [B, 3, T, H, W] in f32 from a stream of bytes: (x/255 − mean)/std, each step rounded to f32. */
export function proceduralVideo(
  name: string,
  shape: readonly [number, number, number, number, number],
): Float32Array {
  const [batch, channels, ...rest] = shape;
  const plane = rest.reduce((product, extent) => product * extent, 1);
  const bytes = proceduralBytes(name, batch * channels * plane);
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const channel = Math.floor(i / plane) % channels;
    const unit = Math.fround(bytes[i]! / 255);
    values[i] = Math.fround(unit - MEAN[channel]!) / STD[channel]!;
  }
  return values;
}

function fnv1a64(name: string): [number, number] {
  let hi = 0xcbf29ce4;
  let lo = 0x84222325;
  for (const byte of new TextEncoder().encode(name)) {
    lo = (lo ^ byte) >>> 0;
    // × 0x00000100000001B3
    const high = (mulHigh(lo, 0x1b3) + Math.imul(hi, 0x1b3) + Math.imul(lo, 0x100)) >>> 0;
    lo = Math.imul(lo, 0x1b3) >>> 0;
    hi = high;
  }
  return [hi, lo];
}

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

const MASK_64 = (1n << 64n) - 1n;

/**
 * Bytes that any language can make from a name: element i is the top byte of splitmix64's output function at
 * h + (i + 1) · 0x9E3779B97F4A7C15, h the FNV-1a 64 hash of the name's UTF-8.
 */
export function proceduralBytes(name: string, count: number): Uint8Array {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK_64;
  return Uint8Array.from({ length: count }, (_, i) => {
    let z = (hash + BigInt(i + 1) * 0x9e3779b97f4a7c15n) & MASK_64;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64;
    return Number((z ^ (z >> 31n)) >> 56n);
  });
}

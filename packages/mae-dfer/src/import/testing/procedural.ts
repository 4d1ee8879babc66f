/**
 * Weights that need no storage: element i of a tensor follows from its name alone. The reference values of the tests
 * were computed on them.
 */
const MASK_64 = (1n << 64n) - 1n;

/** Multiples of 2⁻²³ in [−1, 1): splitmix64's output function at h + (i + 1) · 0x9E3779B97F4A7C15, h the name's FNV-1a. */
function proceduralSigned(name: string, count: number): Float64Array {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK_64;
  let state = hash;
  return Float64Array.from({ length: count }, () => {
    state = (state + 0x9e3779b97f4a7c15n) & MASK_64;
    let z = ((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64;
    return (Number((z ^ (z >> 31n)) >> 40n) - 2 ** 23) / 2 ** 23;
  });
}

/** Values of a parameter by its state-dict name, scaled like those of a trained network. */
export function proceduralParameter(name: string, shape: readonly number[]): Float32Array {
  const values = proceduralSigned(
    name,
    shape.reduce((product, extent) => product * extent, 1),
  );
  const [owner = '', leaf = ''] = name.includes('.') ? name.split('.').slice(-2) : ['', name];
  if (owner.includes('norm'))
    return Float32Array.from(values, (v) => (leaf === 'weight' ? 1 + 0.1 * v : 0.05 * v));
  if (leaf.endsWith('bias')) return Float32Array.from(values, (v) => 0.05 * v);
  if (leaf === 'mask_token' || leaf === 'lg_region_tokens') return Float32Array.from(values, (v) => 0.5 * v);
  const scale = Math.sqrt(3 / shape.slice(1).reduce((product, extent) => product * extent, 1));
  return Float32Array.from(values, (v) => v * scale);
}

/**
 * Fixed sinusoidal positions over the flattened token index p, as in VideoMAE:
 * angle(p, j) = p / 10000^(2⌊j/2⌋ / dim); sine for even j, cosine for odd j. Computed in float64.
 * Row-major [count, dim].
 */
export function sinusoidTable(count: number, dim: number): Float32Array {
  const table = new Float32Array(count * dim);
  for (let j = 0; j < dim; j++) {
    const divisor = 10000 ** ((2 * Math.floor(j / 2)) / dim);
    for (let p = 0; p < count; p++) {
      table[p * dim + j] = j % 2 === 0 ? Math.sin(p / divisor) : Math.cos(p / divisor);
    }
  }
  return table;
}

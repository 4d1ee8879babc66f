/** (√Σg² over finite elements, number of the others) in float64. */
export function gradientNormReference(banks: readonly ArrayLike<number>[]): Float64Array {
  let sum = 0;
  let nonFinite = 0;
  for (const bank of banks) {
    for (let i = 0; i < bank.length; i++) {
      const value = bank[i]!;
      if (Number.isFinite(value)) sum += value * value;
      else nonFinite++;
    }
  }
  return Float64Array.of(Math.sqrt(sum), nonFinite);
}

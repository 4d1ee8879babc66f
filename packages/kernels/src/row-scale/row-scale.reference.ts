/** scale[⌊r / rowsPerScale⌋] · x (+ residual) on packed rows, in float64. */
export function rowScaleReference(
  x: Float64Array,
  scale: Float64Array,
  rowsPerScale: number,
  columns: number,
  residual?: Float64Array,
): Float64Array {
  const elements = rowsPerScale * columns;
  return x.map((value, i) => scale[Math.floor(i / elements)]! * value + (residual?.[i] ?? 0));
}

/** a + table[indices] (+ the previous contents) on packed rows, in float64. */
export function rowAddReference(
  a: Float64Array,
  columns: number,
  { table, indices, previous }: { table?: Float64Array; indices?: Float64Array; previous?: Float64Array },
): Float64Array {
  return a.map((value, i) => {
    const fromTable =
      table && indices ? table[indices[Math.floor(i / columns)]! * columns + (i % columns)]! : 0;
    return value + fromTable + (previous?.[i] ?? 0);
  });
}

/** Sums of the rows of `dOut` [rows, columns] that used each of `entries` table rows: the table's gradient. */
export function rowAddTableGradient(
  dOut: Float64Array,
  columns: number,
  indices: Float64Array,
  entries: number,
): Float64Array {
  const gradient = new Float64Array(entries * columns);
  dOut.forEach(
    (value, i) => (gradient[indices[Math.floor(i / columns)]! * columns + (i % columns)]! += value),
  );
  return gradient;
}

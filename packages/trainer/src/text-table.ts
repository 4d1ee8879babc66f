/** Columns of text; unless `alignment` is `left`, only the first is aligned to the left and the others to the right. */
export function textTable(
  rows: readonly (readonly string[])[],
  alignment: 'left' | 'numbers' = 'numbers',
): string {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    [],
  );
  const padded = (cell: string, i: number) =>
    i === 0 || alignment === 'left' ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

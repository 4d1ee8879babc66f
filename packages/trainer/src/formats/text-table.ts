/**
 * Columns of text, some aligned to the right.
 *
 * @param rightAligned which, counted from 0; default all but the first
 */
export function textTable(rows: readonly (readonly string[])[], rightAligned?: ReadonlySet<number>): string {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    [],
  );
  const isRight = (column: number) => rightAligned?.has(column) ?? column > 0;
  const padded = (cell: string, i: number) =>
    isRight(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

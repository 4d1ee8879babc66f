/** Extents of a gather: `picks` of `entries` rows in each of `groups` groups. */
export interface GatherExtents {
  readonly groups: number;
  readonly entries: number;
  readonly picks: number;
  readonly columns: number;
}

/** out[g, i] = x[g, indices[g, i]], packed. */
export function rowGatherReference(
  { groups, entries, picks, columns }: GatherExtents,
  x: Float64Array,
  indices: Float64Array,
): Float64Array {
  return Float64Array.from({ length: groups * picks * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    return x[(Math.floor(row / picks) * entries + indices[row]!) * columns + (i % columns)]!;
  });
}

/** `out` with x[g, i] put (or added) at row indices[g, i] of group g, packed. */
export function rowScatterReference(
  { entries, picks, columns }: GatherExtents,
  x: Float64Array,
  indices: Float64Array,
  out: Float64Array,
  accumulate: boolean,
): Float64Array {
  const result = out.slice();
  x.forEach((value, i) => {
    const row = Math.floor(i / columns);
    const to = (Math.floor(row / picks) * entries + indices[row]!) * columns + (i % columns);
    result[to] = accumulate ? result[to]! + value : value;
  });
  return result;
}

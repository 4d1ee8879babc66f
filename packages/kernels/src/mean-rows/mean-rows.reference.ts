/** Mean over the middle axis of x [groups, length, columns], packed. */
export function meanRowsReference(x: Float64Array, groups: number, length: number): Float64Array {
  const columns = x.length / (groups * length);
  const mean = new Float64Array(groups * columns);
  x.forEach((value, i) => {
    const group = Math.floor(i / (length * columns));
    mean[group * columns + (i % columns)]! += value / length;
  });
  return mean;
}

/** dx[b, l, c] = dOut[b, c] / length, packed. */
export function meanRowsBackwardReference(dOut: Float64Array, groups: number, length: number): Float64Array {
  const columns = dOut.length / groups;
  return Float64Array.from({ length: dOut.length * length }, (_, i) => {
    const group = Math.floor(i / (length * columns));
    return dOut[group * columns + (i % columns)]! / length;
  });
}
